/** Turns a recorded decision into sentences: what was seen, what that asks for, and which rule had the last word. */
import type { Rule } from "./kpa-decision.ts";
import type { RecordedDecision } from "./recorded-decision.ts";

/** One sentence per line, most important first. */
export function explainDecision(record: RecordedDecision): readonly string[] {
  const headline =
    record.desired < 0
      ? `No number yet (${record.at}): ${because(record)}.`
      : `Wants ${instances(record.desired)} (${record.at}): ${because(record)}.`;
  const mode = record.panicking
    ? [
        `In panic mode: the last ${record.panicWindowS} s asked for so much more than was ready that nothing is scaled down until a whole ${record.stableWindowS} s window has passed without it.`,
      ]
    : [];
  const range = boundsOf(record);
  return [
    headline,
    ...(record.rule === "demand" ? [] : observed(record)),
    ...mode,
    `Ready when it was decided: ${instances(record.ready)}.`,
    ...(range === "" ? [] : [range]),
    ...(record.reachable
      ? []
      : [
          "The revision is unreachable (no route leads to it, or it is failing), so minimum, initial scale and delays do not hold.",
        ]),
  ];
}

function observed(record: RecordedDecision): readonly string[] {
  const { stable, panic } = record;
  if (stable === undefined || panic === undefined)
    return ["The load is not known: nothing was reported for long enough to average."];
  const unit = record.metric === "rps" ? "requests per second" : "requests in flight";
  return [
    `Load: ${stable} ${unit} on average over ${record.stableWindowS} s, ${panic} over ${record.panicWindowS} s; ` +
      `one instance is meant to get ${record.target} of the ${record.total} it can take, ` +
      `which makes ${record.stableWants} and ${record.panicWants}.`,
  ];
}

function boundsOf({ minScale, maxScale }: RecordedDecision): string {
  if (minScale === 0 && maxScale === 0) return "";
  return `Bounds: at least ${minScale}, ${maxScale === 0 ? "no maximum" : `at most ${maxScale}`}.`;
}

const because = (record: RecordedDecision): string => (sentences[record.rule] ?? unknownRule)(record);

const unknownRule = ({ rule }: RecordedDecision): string =>
  `rule ${JSON.stringify(rule)}, which this version does not know`;

const sentences: Readonly<Record<Rule, (record: RecordedDecision) => string>> = {
  "no-data": () => "nobody has reported any load, so the last number stands",
  load: ({ stableWindowS }) => `that is what the load of the last ${stableWindowS} s asks for`,
  "panic-load": ({ panicWindowS }) => `that is what the burst of the last ${panicWindowS} s asks for`,
  "panic-hold": () => "a burst asked for that many, and in panic mode nothing is scaled down",
  "scale-up-rate": (r) =>
    `the load asks for ${Math.max(r.stableWants, r.panicWants)}, but the number may only grow ${r.limit}-fold at a time`,
  "scale-down-rate": (r) =>
    `the load asks for only ${r.stableWants}, but the number may only shrink ${r.limit}-fold at a time`,
  "activation-scale": ({ limit }) =>
    `there is load, and activation-scale asks for at least ${limit} whenever there is any`,
  demand: () => "requests were waiting with no instance to take them",
  "scale-down-delay": ({ limit }) =>
    `that many were needed within the last ${limit} s, and scale-down-delay holds them`,
  "min-scale": (r) => `min-scale; the load alone asks for ${Math.max(0, r.beforeBounds)}`,
  "max-scale": (r) => `max-scale; the load alone asks for ${r.beforeBounds}`,
  "initial-scale": ({ limit }) => `a new revision starts with its initial scale of ${limit}`,
  idle: ({ stableWindowS }) =>
    `no request for ${stableWindowS} s, and the router holds new ones until an instance is up`,
  "scale-to-zero-disabled": () => "there is no load, but scale to zero is switched off (enable-scale-to-zero)",
  activating: ({ limit }) => `its first instances are still starting (given up after ${limit} s)`,
  "activation-timeout": ({ limit }) => `it did not start within ${limit} s and was given up`,
  "active-window": ({ stableWindowS }) => `there is no load, but it has been active for less than ${stableWindowS} s`,
  "going-idle": ({ stableWindowS }) =>
    `no request for ${stableWindowS} s; it is being marked inactive before its last instance goes`,
  "pod-retention": ({ limit }) => `no load, but the last instance is kept for ${limit} s`,
  "grace-period": ({ limit }) => `no load; the last instance goes once a router has held the path for ${limit} s`,
};

const instances = (count: number): string => (count === 1 ? "1 instance" : `${count} instances`);
