/** What a runtime asks of the Runtime API. */
export type RuntimeCall =
  | { readonly kind: "next" }
  | { readonly kind: "response" | "error"; readonly id: string }
  | { readonly kind: "init-error" }
  | { readonly kind: "ping" }
  | { readonly kind: "unknown" };

const base = "/2018-06-01/runtime/";

/** Paths of functions.md §5.2. */
export function runtimePath(method: string, url: string): RuntimeCall {
  if (method === "GET" && url === "/ping") return { kind: "ping" };
  if (!url.startsWith(base)) return { kind: "unknown" };
  const path = url.slice(base.length);
  if (method === "GET" && path === "invocation/next") return { kind: "next" };
  if (method === "POST" && path === "init/error") return { kind: "init-error" };
  const [, id, kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
  if (method === "POST" && id !== undefined && (kind === "response" || kind === "error"))
    return { kind, id: decodeURIComponent(id) };
  return { kind: "unknown" };
}
