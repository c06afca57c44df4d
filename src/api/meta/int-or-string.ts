/** `3` or `25%`: counts given as a number or as a share of a total (apimachinery pkg/util/intstr). */

export type IntOrString = number | string;

/** 25 for `25%`; undefined for a number or any other text. */
export function percentOf(value: IntOrString): number | undefined {
  return typeof value === "string" && /^[+-]?\d+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
}

/**
 * The count meant: a number as it is, a percentage of `total` rounded up or down.
 * Undefined for text that is no percentage: upstream refuses `"3"` in quotes.
 */
export function resolveIntOrPercent(value: IntOrString, total: number, round: "up" | "down"): number | undefined {
  if (typeof value === "number") return value;
  const percent = percentOf(value);
  if (percent === undefined) return undefined;
  const exact = (percent * total) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}
