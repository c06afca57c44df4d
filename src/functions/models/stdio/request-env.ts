import type { IncomingMessage } from "node:http";

/**
 * What a program learns of its request by environment, as the watchdogs have it (openfaas.md §2): Http_Method, Http_Path,
 * Http_Query and each header as Http_Content_Type, its first value only.
 */
export function requestEnv(req: IncomingMessage): Readonly<Record<string, string>> {
  const url = req.url ?? "/";
  const mark = url.indexOf("?");
  const env: Record<string, string> = {
    Http_Method: req.method ?? "GET",
    Http_Path: mark < 0 ? url : url.slice(0, mark),
    Http_Host: req.headers.host ?? "",
    Http_ContentLength: req.headers["content-length"] ?? (req.headers["transfer-encoding"] === undefined ? "0" : "-1"),
  };
  if (mark >= 0) env["Http_Query"] = url.slice(mark + 1);
  const { rawHeaders } = req;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = variableOf(rawHeaders[i] ?? "");
    // NUL cannot be in an environment; node:http lets none through.
    env[name] ??= rawHeaders[i + 1] ?? "";
  }
  return env;
}

/** `x-call-id` → `Http_X_Call_Id`, whatever its letter case was. */
const variableOf = (header: string): string =>
  `Http_${header
    .split("-")
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1).toLowerCase())
    .join("_")}`;
