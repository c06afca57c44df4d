/** ISO 8601 durations as Knative's delivery settings have them: `PT0.2S`, `P1DT2H`. */

const shape =
  /^([+-]?)P(?!$)(?:(\d+(?:[.,]\d+)?)Y)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)W)?(?:(\d+(?:[.,]\d+)?)D)?(?:T(?!$)(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/;

const dayMs = 86_400_000;
/** Milliseconds of the units in the order of {@link shape}; years and months have their mean length. */
const unitMs = [365.2425 * dayMs, 30.436875 * dayMs, 7 * dayMs, dayMs, 3_600_000, 60_000, 1000] as const;

/** Milliseconds of a duration; undefined when the text is none. */
export function parseIsoDuration(text: string): number | undefined {
  const match = shape.exec(text);
  if (!match) return undefined;
  const [, sign, ...amounts] = match;
  let total = 0;
  for (const [i, unit] of unitMs.entries()) total += Number((amounts[i] ?? "0").replace(",", ".")) * unit;
  const ms = Math.round(total * 1000) / 1000;
  return sign === "-" && ms > 0 ? -ms : ms;
}
