import type { Problem } from "./problem.ts";

/** Shapes in which an error is told, by what the caller takes. */
export type Shape = "html" | "json" | "text";

/** Browsers name text/html; programs that want JSON say so; curl takes anything and gets text. */
export function shapeFor(accept: string | undefined): Shape {
  if (accept?.includes("text/html")) return "html";
  if (accept?.includes("json")) return "json";
  return "text";
}

export interface ErrorPage {
  readonly title: string;
  readonly problem: Problem;
  /** One sentence on what happens meanwhile. */
  readonly note: string;
  /** What the last good version answered, if one did. */
  readonly answer?: string;
}

/** Body and content type of a page about a problem. */
export function renderError(shape: Shape, page: ErrorPage): { readonly type: string; readonly body: string } {
  const { title, problem, note } = page;
  const { kind, summary, message, place } = problem;
  if (shape === "json") {
    const at = place ? { file: place.file, line: place.line, column: place.column } : undefined;
    const body = { error: summary, kind, at, excerpt: place?.excerpt, message, note };
    return { type: "application/json", body: `${JSON.stringify(body, undefined, 2)}\n` };
  }
  if (shape === "html") return { type: "text/html; charset=utf-8", body: htmlPage(page) };
  return { type: "text/plain; charset=utf-8", body: [title, "", ...problemText(problem), "", note, ""].join("\n") };
}

/** The problem in lines for a terminal: place, what is wrong, excerpt, and the rest of what was said. */
export function problemText({ summary, message, place }: Problem): readonly string[] {
  if (!place) return message.split("\n");
  const at = `${place.file}:${place.line}${place.column === undefined ? "" : `:${place.column}`}`;
  const rest = message.split("\n").slice(1);
  // A compiler's own excerpt is ours again; a stack or a second error is not.
  const says = rest.some((line) => /^\s+at |:\d+:\d+: |^Traceback|^\S/.test(line)) ? ["", ...rest] : [];
  return [`${at}: ${summary}`, "", ...place.excerpt, ...says];
}

/** A strip at the foot of a page that the last good version made, with the problem unfolded on a click. */
export function overlay(problem: Problem): string {
  const text = escapeHtml(problemText(problem).join("\n"));
  return `<details style="${stripStyle}"><summary style="cursor:pointer">ebb dev: the newest edit is broken; this is the last good version. ${escapeHtml(problem.summary)}</summary><pre style="white-space:pre-wrap;margin:8px 0 0">${text}</pre></details>`;
}

const stripStyle =
  "all:initial;position:fixed;left:0;right:0;bottom:0;z-index:2147483647;max-height:60vh;overflow:auto;padding:10px 16px;background:#2b0f12;color:#ffd9d9;font:13px/1.5 ui-monospace,monospace;border-top:3px solid #e5484d";

function htmlPage({ title, problem, note, answer }: ErrorPage): string {
  const { summary, message, place } = problem;
  const at = place ? `<p class="at">${escapeHtml(`${place.file}:${place.line}`)}</p>` : "";
  const excerpt = place
    ? `<pre>${place.excerpt.map((line) => (line.startsWith(">") ? `<mark>${escapeHtml(line)}</mark>` : escapeHtml(line))).join("\n")}</pre>`
    : "";
  const served =
    answer === undefined ? "" : `<h2>What the last good version answered</h2><pre>${escapeHtml(answer)}</pre>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>
  :root { color-scheme: light dark; }
  body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: light-dark(#fff, #16161a); color: light-dark(#222, #ddd); }
  main { max-width: 960px; margin: 0 auto; padding: 32px 20px; }
  h1 { font-size: 15px; font-weight: 600; color: #e5484d; margin: 0 0 4px; }
  h2 { font-size: 14px; margin: 28px 0 4px; }
  .what { font-size: 20px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
  .at { font-family: ui-monospace, monospace; opacity: .75; margin: 4px 0 0; }
  pre { background: light-dark(#f5f5f7, #202027); padding: 14px; border-radius: 6px; overflow-x: auto; font: 13px/1.55 ui-monospace, monospace; }
  mark { background: #e5484d33; color: inherit; }
  .note { opacity: .75; }
</style>
</head>
<body><main>
<h1>${escapeHtml(title)}</h1>
<p class="what">${escapeHtml(summary)}</p>
${at}
${excerpt}
<details${place ? "" : " open"}><summary>Everything it said</summary><pre>${escapeHtml(message)}</pre></details>
${served}
<p class="note">${escapeHtml(note)}</p>
</main></body>
</html>
`;
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (c) => escapes[c] ?? c);
