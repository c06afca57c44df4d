/** Whether a text names an image: `[registry[:port]/]repository[:tag][@digest]`. */

const component = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const tag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digest = /^sha256:[0-9a-f]{64}$/;
const registry = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d+)?$/;

/** What is wrong with the reference, or undefined. */
export function imageProblem(reference: string): string | undefined {
  const at = reference.indexOf("@");
  const named = at < 0 ? reference : reference.slice(0, at);
  if (at >= 0 && !digest.test(reference.slice(at + 1)))
    return `invalid digest ${JSON.stringify(reference.slice(at + 1))}: want sha256: and 64 hexadecimal digits`;
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  if (tagged && !tag.test(named.slice(colon + 1)))
    return `invalid tag ${JSON.stringify(named.slice(colon + 1))}: want letters, digits, "_", "." and "-"`;
  const parts = (tagged ? named.slice(0, colon) : named).split("/");
  const [first = ""] = parts;
  if (parts.length > 1 && /[.:[]|^localhost$/.test(first)) {
    if (!registry.test(first)) return `invalid registry ${JSON.stringify(first)}`;
    parts.shift();
  }
  const bad = parts.find((part) => !component.test(part));
  return bad === undefined
    ? undefined
    : `invalid repository name part ${JSON.stringify(bad)}: want a-z, 0-9 and single separators`;
}
