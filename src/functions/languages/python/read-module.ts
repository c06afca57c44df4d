import type { FunctionModel } from "../../hosts/protocol.ts";

/** What a module's text says about how it takes requests. */
export interface ModuleFacts {
  readonly model: FunctionModel;
  readonly target?: string;
  readonly signature?: "http" | "cloudevent" | "typed";
  /** For `--explain`. */
  readonly reason: string;
}

interface Statement {
  readonly text: string;
  readonly line: number;
}

const asgiMakers =
  /^(?:\w+\s*:\s*\w+\s*=\s*|\w+\s*=\s*)(?:\w+\.)?(?:FastAPI|Starlette|Quart|Litestar|BlackSheep|Sanic|get_asgi_application|socketio\.ASGIApp)\(/;
const wsgiMakers =
  /^(?:\w+\s*:\s*\w+\s*=\s*|\w+\s*=\s*)(?:\w+\.)?(?:Flask|Bottle|Pyramid|Falcon|App|get_wsgi_application|default_app)\(/;

/**
 * Tells a module's model from its top-level statements, in the order of functions.md §1; undefined when nothing there
 * takes requests by any known convention. Reads text, runs nothing.
 */
export function readModule(text: string, entry: string): ModuleFacts | undefined {
  const top = topLevel(text);
  return (
    asLambda(top, "lambda_handler") ??
    asFramework(top) ??
    asApplication(top) ??
    asKnative(top) ??
    asLambda(top, "handler") ??
    asServer(text, entry)
  );
}

/** Statements that begin in column 0, outside of texts in three quotes. */
function topLevel(text: string): readonly Statement[] {
  const found: Statement[] = [];
  let quote: string | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (quote === undefined && /^[A-Za-z_@]/.test(line)) found.push({ text: line, line: index + 1 });
    for (const mark of line.replaceAll(/#(?!.*["']).*$/g, "").match(/"""|'''/g) ?? []) {
      if (quote === undefined) quote = mark;
      else if (quote === mark) quote = undefined;
    }
  }
  return found;
}

function asLambda(top: readonly Statement[], name: string): ModuleFacts | undefined {
  const pattern = new RegExp(`^(?:def ${name}\\((?<parameters>[^)]*)\\)|${name}\\s*=)`);
  const found = top.find((s) => pattern.test(s.text));
  if (!found) return undefined;
  const count = found.text.startsWith("def") ? parameterCount(found.text) : undefined;
  if (count !== undefined && count !== 2) return undefined;
  return { model: "lambda", target: name, reason: `line ${found.line} defines ${name}(event, context)` };
}

function asFramework(top: readonly Statement[]): ModuleFacts | undefined {
  const registered = top.flatMap(({ text, line }, at) => {
    const kind = /^@functions_framework\.(?:aio\.)?(http|cloud_event|typed)\b/.exec(text)?.[1];
    const name = /^(?:async )?def (\w+)/.exec(top.slice(at + 1).find((s) => !s.text.startsWith("@"))?.text ?? "")?.[1];
    return kind === undefined || name === undefined ? [] : [{ kind, name, line }];
  });
  const [only, another] = registered;
  if (!only) return undefined;
  if (another) {
    const names = registered.map((one) => one.name).join(", ");
    return { model: "functions-framework", reason: `registers ${names} with functions_framework` };
  }
  const signature = only.kind === "cloud_event" ? "cloudevent" : only.kind === "typed" ? "typed" : "http";
  const reason = `line ${only.line} registers ${only.name} with @functions_framework.${only.kind}`;
  return { model: "functions-framework", target: only.name, signature, reason };
}

function asApplication(top: readonly Statement[]): ModuleFacts | undefined {
  for (const name of ["app", "application", "api"]) {
    const found = top.find((s) =>
      new RegExp(`^(?:async def ${name}\\(|def ${name}\\(|class ${name}\\b|${name}\\s*[:=])`).test(s.text),
    );
    if (!found) continue;
    const facts = (model: FunctionModel, what: string): ModuleFacts => ({
      model,
      target: name,
      reason: `line ${found.line} defines ${name}, ${what}`,
    });
    if (found.text.startsWith("async def")) return facts("asgi", "an ASGI application");
    if (found.text.startsWith("def")) {
      return parameterCount(found.text) === 2 ? facts("wsgi", "a WSGI application") : undefined;
    }
    if (asgiMakers.test(found.text)) return facts("asgi", "an ASGI application");
    if (wsgiMakers.test(found.text)) return facts("wsgi", "a WSGI application");
    // Which of the two is seen when the object is there: wsgi asks it.
    return facts("wsgi", "an ASGI or WSGI application");
  }
  return undefined;
}

function asKnative(top: readonly Statement[]): ModuleFacts | undefined {
  const found = top.find(
    (s) => /^def new\(\s*\)/.test(s.text) || /^from \.\w* import .*\b(?:new|handle)\b/.test(s.text),
  );
  if (found) return { model: "knative", reason: `line ${found.line} defines new(), a Knative function` };
  const handle = top.find((s) => /^(?:async )?def handle\(/.test(s.text));
  if (handle) {
    return parameterCount(handle.text) === 1
      ? { model: "cloudevents", target: "handle", reason: `line ${handle.line} defines handle(event)` }
      : { model: "knative", reason: `line ${handle.line} defines handle(scope, receive, send), a Knative function` };
  }
  const main = top.find((s) => /^def main\(\s*context\b/.test(s.text));
  return (
    main && { model: "knative", reason: `line ${main.line} defines main(context), a Knative function of the old kind` }
  );
}

const listens =
  /\bserve_forever\(|\buvicorn\.run\(|\bapp\.run\(|\brun_app\(|\bHTTPServer\b|\bstart_server\(|environ.{0,8}["']PORT["']|\basyncio\.run\(|__name__\s*==\s*["']__main__["']/;

function asServer(text: string, entry: string): ModuleFacts | undefined {
  return listens.test(text) ? { model: "server", reason: `${entry} is a program that listens on PORT` } : undefined;
}

/** Undefined when the list goes on in the next line. */
function parameterCount(text: string): number | undefined {
  const list = /\(([^)]*)\)/.exec(text)?.[1];
  if (list === undefined) return undefined;
  return list.split(",").filter((part) => part.trim() !== "" && part.trim() !== "/").length;
}
