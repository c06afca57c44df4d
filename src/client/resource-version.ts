/** Resource versions of one API server compare as whole numbers (KEP-5504); any length. */
export function isAtLeast(version: string, least: string): boolean {
  return version.length === least.length ? version >= least : version.length > least.length;
}
