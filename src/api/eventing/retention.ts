/** How much of its past a Broker or channel keeps: annotations, since upstream's kinds have no fields for it. */
import type { ObjectMeta } from "../meta/types.gen.ts";
import { quantityNumber, readQuantity } from "../meta/quantity.ts";
import { invalidValue, self, within, type Problem, type Problems } from "../serving/problems.ts";
import type { StreamRetention } from "./engine.ts";
import { parseIsoDuration } from "./iso-duration.ts";
import { eventingKeys } from "./keys.ts";

interface Setting {
  readonly key: string;
  readonly field: keyof StreamRetention;
  /** undefined: the text is none of it. */
  parse(text: string): number | undefined;
  readonly wanted: string;
}

const wholeOf = (text: string): number | undefined => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined);

const settings: readonly Setting[] = [
  {
    key: eventingKeys.retentionAge,
    field: "maxAgeMs",
    parse: (text) => atLeast(parseIsoDuration(text), 1000),
    wanted: "an ISO 8601 duration of a second or more, such as P7D or PT12H",
  },
  {
    key: eventingKeys.retentionBytes,
    field: "maxBytes",
    parse: (text) => atLeast(bytesOf(text), 1024),
    wanted: "a quantity of 1Ki or more, such as 512Mi",
  },
  { key: eventingKeys.retentionCount, field: "maxCount", parse: wholeOf, wanted: "a whole number of 1 or more" },
];

function bytesOf(text: string): number | undefined {
  const read = readQuantity(text);
  return read.ok ? quantityNumber(read.quantity) : undefined;
}

const atLeast = (value: number | undefined, least: number): number | undefined =>
  value !== undefined && value >= least ? value : undefined;

/** What the annotations ask for; what they do not name is the engine's default. */
export function retentionOf({ annotations = {} }: Pick<ObjectMeta, "annotations">): StreamRetention | undefined {
  const found = settings.flatMap(({ key, field, parse }) => {
    const value = annotations[key] === undefined ? undefined : parse(annotations[key]);
    return value === undefined ? [] : [[field, value] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

export function checkRetention({ annotations = {} }: Pick<ObjectMeta, "annotations">): Problems {
  const problems: Problem[] = [];
  for (const { key, parse, wanted } of settings) {
    const text = annotations[key];
    if (text !== undefined && parse(text) === undefined)
      problems.push(...within(`metadata.annotations[${key}]`, [invalidValue(text, self, `use ${wanted}`)]));
  }
  return problems;
}
