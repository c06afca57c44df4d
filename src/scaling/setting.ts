/** Reads single settings that arrive as text, keeping a list of those that cannot be used. */
import { parseDuration } from "../api/meta/duration.ts";

export interface Problem {
  readonly name: string;
  readonly value: string;
  readonly message: string;
}

/** Bounds of a number, or of a duration in milliseconds. `or` is one more value allowed beside the range. */
export interface Range {
  readonly from?: number;
  readonly to?: number;
  readonly or?: number;
  /** Whole numbers, or whole seconds for a duration. */
  readonly whole?: boolean;
}

export interface Setting<T> {
  readonly name: string;
  readonly text: string | undefined;
  readonly fallback: T;
  readonly problems: Problem[];
}

export type RangedSetting = Setting<number> & { readonly range: Range };

export function readNumber(setting: RangedSetting): number {
  const { text, range } = setting;
  if (text === undefined) return setting.fallback;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) return refuse(setting, "is not a number");
  if (range.whole && !Number.isInteger(value)) return refuse(setting, "is not a whole number");
  return within(value, range) ? value : refuse(setting, `must be ${wordsOf(range, String)}`);
}

/** Milliseconds of a Go duration such as `90s`. */
export function readDuration(setting: RangedSetting): number {
  const { text, range } = setting;
  if (text === undefined) return setting.fallback;
  const value = parseDuration(text);
  if (value === undefined) return refuse(setting, "is not a duration such as 90s or 1m30s");
  if (range.whole && value % 1000 !== 0) return refuse(setting, "is not a whole number of seconds");
  return within(value, range) ? value : refuse(setting, `must be ${wordsOf(range, (ms) => `${ms / 1000}s`)}`);
}

export function readOneOf<T extends string>(setting: Setting<T>, allowed: readonly T[]): T {
  const { text } = setting;
  if (text === undefined) return setting.fallback;
  return allowed.find((value) => value === text) ?? refuse(setting, `is none of ${allowed.join(", ")}`);
}

function within(value: number, { from, to, or }: Range): boolean {
  if (value === or) return true;
  return value >= (from ?? -Infinity) && value <= (to ?? Infinity);
}

function wordsOf({ from, to, or }: Range, show: (value: number) => string): string {
  const parts = [
    ...(from === undefined ? [] : [`at least ${show(from)}`]),
    ...(to === undefined ? [] : [`at most ${show(to)}`]),
  ];
  return `${parts.join(" and ")}${or === undefined ? "" : `, or ${show(or)}`}`;
}

function refuse<T>(setting: Setting<T>, why: string): T {
  setting.problems.push({ name: setting.name, value: setting.text ?? "", message: why });
  return setting.fallback;
}

/** `window: "5m x" is not a duration such as 90s or 1m30s`. */
export const describeProblem = ({ name, value, message }: Problem): string =>
  `${name}: ${JSON.stringify(value)} ${message}`;
