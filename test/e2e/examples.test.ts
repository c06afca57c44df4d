import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { homeKind, openHome, type Home } from "./home.ts";
import { shareToolCaches } from "./tool-caches.ts";

/** `expect.json` of an example: what it needs on the machine and how it answers. */
interface Expectation {
  /** Programs on PATH without which it cannot be built or run. */
  readonly needs?: readonly string[];
  /** Arguments of `ebb deploy` beside the path. */
  readonly deploy?: readonly string[];
  readonly calls: readonly ExpectedCall[];
}

interface ExpectedCall {
  readonly method?: string;
  readonly path?: string;
  /** Body of the request. */
  readonly send?: string;
  readonly with?: Readonly<Record<string, string>>;
  /** Default 200. */
  readonly status?: number;
  /** Pattern of the answer's body. */
  readonly body?: string;
  /** Patterns of the answer's headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "../../examples");
const examples = readdirSync(root).filter((name) => existsSync(join(root, name, "expect.json")));
const onPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((dir) => canRun(join(dir, program)));

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let ebb: Home;
beforeAll(async () => {
  ebb = await openHome({ prepare: shareToolCaches });
});
afterAll(() => ebb.close());

/** A base made of a machine's Node has no shell and no Java. */
const needsAnotherBase = ["shell-stdio", "java-http", "lambda-bootstrap"];

describe.each(examples)("examples/%s", (name) => {
  const expected = JSON.parse(readFileSync(join(root, name, "expect.json"), "utf8")) as Expectation;
  const missing = (expected.needs ?? []).filter((program) => !onPath(program));

  test("deploys and answers", { timeout: 180_000 }, async (context) => {
    if (homeKind === "cluster" && needsAnotherBase.includes(name)) return context.skip("needs --base with its runtime");
    if (missing.length > 0) return context.skip(`not on PATH: ${missing.join(", ")}`);
    const service = `example-${name}`;
    const deploy = ["deploy", join(root, name), "--name", service, "--wait", "60s", ...(expected.deploy ?? [])];
    const { code, stdout, stderr } = await ebb.ebb(...deploy);
    expect({ code, stderr: code === 0 ? "" : stderr, stdout }).toMatchObject({ code: 0 });
    for (const call of expected.calls) await check(ebb.host(service), call);
    expect((await ebb.ebb("delete", service)).code).toBe(0);
  });
});

async function check(host: string, call: ExpectedCall): Promise<void> {
  const answer = await ebb.call(host, {
    ...(call.path === undefined ? {} : { path: call.path }),
    ...(call.method === undefined ? {} : { method: call.method }),
    ...(call.send === undefined ? {} : { body: call.send }),
    ...(call.with === undefined ? {} : { headers: call.with }),
  });
  const seen = `${call.method ?? "GET"} ${call.path ?? "/"} gave ${answer.status}: ${answer.body.slice(0, 500)}`;
  expect(answer.status, seen).toBe(call.status ?? 200);
  if (call.body !== undefined) expect(answer.body, seen).toMatch(new RegExp(call.body));
  for (const [header, pattern] of Object.entries(call.headers ?? {}))
    expect(String(answer.headers[header]), `${header} of ${seen}`).toMatch(new RegExp(pattern));
}
