/**
 * The part of Go's text/template that Knative's config maps are written in: `{{.Name}}`, `{{.Annotations.sub}}`,
 * `{{index .Labels "app"}}` and plain text around them.
 */

export interface TemplateValues {
  readonly [name: string]: string | Readonly<Record<string, string>> | undefined;
}

export type MetaTemplate = (values: TemplateValues) => string;

/** A function that fills the template in, or why the text is none. */
export function parseMetaTemplate(text: string): MetaTemplate | { readonly problem: string } {
  const parts: ((values: TemplateValues) => string)[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{(.*?)\}\}/g)) {
    const literal = text.slice(at, match.index);
    parts.push(() => literal);
    const field = parseAction((match[1] ?? "").replace(/^-|-$/g, "").trim());
    if (!field)
      return { problem: `${JSON.stringify(match[0])} is not a field such as {{.Name}} or {{index .Labels "app"}}` };
    parts.push(field);
    at = match.index + match[0].length;
  }
  const rest = text.slice(at);
  if (/\{\{|\}\}/.test(rest)) return { problem: `unclosed action in ${JSON.stringify(text)}` };
  parts.push(() => rest);
  return (values) => parts.map((part) => part(values)).join("");
}

function parseAction(action: string): MetaTemplate | undefined {
  const field = /^\.([A-Za-z]+)(?:\.([A-Za-z0-9_]+))?$/.exec(action) ?? /^index \.([A-Za-z]+) "([^"]*)"$/.exec(action);
  if (!field) return undefined;
  const [, name = "", key] = field;
  return (values) => {
    const value = values[name];
    if (key !== undefined) return typeof value === "object" ? (value[key] ?? "") : "";
    return typeof value === "string" ? value : "";
  };
}
