/** What was known of a site's files when it was built: size and content digest by path, without a leading slash. */
export type SiteIndex = Readonly<Record<string, readonly [size: number, digest: string]>>;

export type FoundFile =
  | { readonly kind: "file"; readonly path: string; readonly status: 200 | 404 }
  | { readonly kind: "redirect"; readonly to: string }
  | { readonly kind: "none"; readonly status: 400 | 404 };

/**
 * The file that a request's path means: itself, its `.html`, or the folder's index.html (reached with a slash at the
 * end, so that relative links work). Else `fallback`, which answers for every path of a single-page application, or
 * 404.html. Only what is in the index is ever found, so no path leads out of the site.
 */
export function findFile(index: SiteIndex, url: string, fallback: string | undefined): FoundFile {
  const [raw = "/", query] = splitOnce(url, "?");
  let path: string;
  try {
    path = decodeURIComponent(raw).replace(/^\/+/, "");
  } catch {
    return { kind: "none", status: 400 };
  }
  const has = (name: string): boolean => Object.hasOwn(index, name);
  const file = (name: string, status: 200 | 404 = 200): FoundFile => ({ kind: "file", path: name, status });
  if (path === "" || path.endsWith("/")) {
    if (has(`${path}index.html`)) return file(`${path}index.html`);
  } else {
    if (has(path)) return file(path);
    if (has(`${path}.html`)) return file(`${path}.html`);
    if (has(`${path}/index.html`))
      return { kind: "redirect", to: `/${raw.replace(/^\/+/, "")}/${query === undefined ? "" : `?${query}`}` };
  }
  if (fallback !== undefined && has(fallback)) return file(fallback);
  return has("404.html") ? file("404.html", 404) : { kind: "none", status: 404 };
}

function splitOnce(text: string, at: string): readonly [string, string | undefined] {
  const i = text.indexOf(at);
  return i < 0 ? [text, undefined] : [text.slice(0, i), text.slice(i + 1)];
}
