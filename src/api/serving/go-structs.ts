/**
 * Makes every object on the path that is missing: Go decodes a struct that is not there as an empty one, and checks
 * then name the field missing in it. Changes `object`.
 */
export function fillStructs(object: object, path: string): void {
  let at = object as Record<string, unknown>;
  for (const key of path.split(".")) at = (at[key] ??= {}) as Record<string, unknown>;
}
