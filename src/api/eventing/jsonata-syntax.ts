/** Whether a text is an expression in JSONata. The library is loaded only where somebody wrote one. */
import { createRequire } from "node:module";

/** What is wrong and where; undefined when nothing is. */
export function checkJsonata(expression: string): string | undefined {
  const jsonata = createRequire(import.meta.url)("jsonata") as (text: string) => unknown;
  try {
    jsonata(expression);
    return undefined;
  } catch (error) {
    const { message, position } = error as { readonly message?: string; readonly position?: number };
    const place = position === undefined ? "" : ` at position ${position}`;
    return `${message ?? String(error)}${place}`;
  }
}
