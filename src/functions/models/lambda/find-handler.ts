import { LoadError } from "../../hosts/node/load-error.ts";
import { isFunction, member, unwrapDefault } from "../detect-model.ts";
import { listNames } from "../fetch/fetch-model.ts";
import type { ModelContext } from "../model.ts";

export type LambdaHandler = (...args: readonly unknown[]) => unknown;

/**
 * The export that a handler string names: of `src/app.api.handler` it is `api.handler`, since the module is known. A
 * target without a dot is the export itself. Throws LoadError with Lambda's own error type in the message.
 */
export function findHandler({ exports, target, env }: ModelContext): LambdaHandler {
  const asked = target ?? (env["_HANDLER"] || "index.handler");
  const path = exportPath(asked);
  const within = (from: unknown): unknown => path.reduce<unknown>((value, name) => member(value, name), from);
  const main = unwrapDefault(exports["default"]);
  const fallback = target === undefined && isFunction(main) ? main : undefined;
  const handler = within(exports) ?? within(main) ?? fallback;
  if (isFunction(handler)) return handler as unknown as LambdaHandler;
  const name = path.join(".");
  const what = handler === undefined ? "is undefined or not exported" : "is not a function";
  throw new LoadError(
    "NoHandler",
    `Runtime.HandlerNotFound: ${asked} ${what}: the module exports ${listNames(exports)}. ` +
      `Write \`export const ${name} = async (event, context) => { … }\`, or set the handler to one of these`,
  );
}

function exportPath(handler: string): readonly string[] {
  const base = handler.slice(handler.lastIndexOf("/") + 1);
  const [file = "", ...path] = base.split(".");
  if (path.length === 0 && base === handler && /^[\w$]+$/.test(file)) return [file];
  if (path.length === 0 || path.some((name) => name === "") || file === "")
    throw new LoadError(
      "NoHandler",
      `Runtime.MalformedHandlerName: "${handler}" is no handler: write file.export, such as index.handler`,
    );
  return path;
}
