import { createServer } from "node:http";
import { expect, test } from "vitest";
import { detectModel, type Evidence } from "./detect-model.ts";
import { modelOfNames } from "./model-of-names.ts";
import type { ModuleExports } from "./model.ts";
import { parameterNames } from "./parameter-names.ts";

const none = () => undefined;
const detect = (exports: ModuleExports, more: Partial<Evidence> = {}) =>
  detectModel({ exports, registered: [], listensForFetch: false, env: {}, ...more });

test.each<[string, ModuleExports, string]>([
  ["a default object with fetch", { default: { fetch: none } }, "fetch"],
  ["a named fetch", { fetch: none }, "fetch"],
  ["methods", { GET: none, POST: none }, "fetch"],
  ["a default function of a request", { default: (request: unknown) => request }, "fetch"],
  [
    "a default function of request and context",
    { default: (request: unknown, ctx: unknown) => [request, ctx] },
    "fetch",
  ],
  ["(req, res)", { default: (req: unknown, res: unknown) => [req, res] }, "node-http"],
  ["(a, b), say minified", { default: (a: unknown, b: unknown) => [a, b] }, "node-http"],
  [
    "(req, res, next), an Express application",
    { default: (req: unknown, res: unknown, next: unknown) => [req, res, next] },
    "node-http",
  ],
  ["a server that does not listen", { default: createServer() }, "node-http"],
  ["a handler of req and res", { handler: (req: unknown, res: unknown) => [req, res] }, "node-http"],
  ["handle", { handle: none }, "knative"],
  ["handle of a CommonJS module", { default: { handle: none, init: none } }, "knative"],
  ["a CommonJS function (context, body)", { default: (context: unknown, body: unknown) => [context, body] }, "knative"],
  ["handler", { handler: (event: unknown) => event }, "lambda"],
  ["handler of a CommonJS module", { default: { handler: (event: unknown) => event } }, "lambda"],
  ["event", { event: none }, "cloudevents"],
  ["a default function of an event", { default: (event: unknown) => event }, "cloudevents"],
  ["nothing", {}, "server"],
  ["constants only", { default: 0, name: "x" }, "server"],
])("%s is recognised", (_case, exports, model) => {
  expect(detect(exports).model).toBe(model);
});

test("a build knows Lambda's by the names alone, and leaves the rest to the host", () => {
  expect(modelOfNames(["handler", "version"])).toBe("lambda");
  for (const names of [["handler", "default"], ["handler", "handle"], ["handler", "GET"], ["default"], []])
    expect(modelOfNames(names)).toBe("auto");
});

test("registration goes before exports, and a handler string before both", () => {
  const exports = { default: { fetch: none }, handler: none };
  expect(detect(exports, { registered: ["hello"] })).toEqual({
    model: "functions-framework",
    reason: 'it registers "hello"',
  });
  expect(detect(exports, { env: { FUNCTION_TARGET: "hello" } }).model).toBe("functions-framework");
  expect(detect(exports, { env: { _HANDLER: "index.handler" } }).model).toBe("lambda");
  expect(detect(exports, { target: "src/app.handler" }).model).toBe("lambda");
  expect(detect(exports, { listensForFetch: true }).model).toBe("fetch");
});

test.each<[string, ModuleExports, RegExp]>([
  ["handle and handler", { handle: none, handler: none }, /both handle .* and handler .*: keep one/],
  ["a function and methods", { default: none, GET: none }, /both a default function and GET: keep one/],
])("%s are not guessed between", (_case, exports, message) => {
  const found = detect(exports);
  expect(found.model === "ambiguous" && found.message).toMatch(message);
});

test.each<[string, (...args: never[]) => unknown, readonly string[]]>([
  ["an arrow", (a, b) => [a, b], ["a", "b"]],
  ["an arrow without parentheses", Function("return async event => event")() as () => unknown, ["event"]],
  [
    "a function",
    function named(req: unknown, res: unknown) {
      return [req, res];
    },
    ["req", "res"],
  ],
  [
    "an async method",
    {
      async run(context: unknown, body = {}) {
        return [context, body];
      },
    }.run,
    ["context", "body"],
  ],
  ["a pattern ends it", ({ a }: { a: unknown }, b: unknown) => [a, b], []],
  ["comments do not count", Function("return (/* the */ req, // one\n res) => 1")() as () => unknown, ["req", "res"]],
  ["bound functions tell nothing", none.bind(undefined), []],
])("the parameters of %s", (_case, fn, names) => {
  expect(parameterNames(fn)).toEqual(names);
});
