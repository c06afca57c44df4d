import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

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

let dir: string;
let ebb: EbbProcess;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-examples-"));
  // Compilers' caches are shared with the other tests of languages: a first build compiles whole standard libraries.
  const shared = join(tmpdir(), `ebb-test-tools-${process.getuid?.() ?? 0}`);
  mkdirSync(join(dir, "cache"), { recursive: true });
  for (const cache of ["go-cache", "cargo"]) {
    mkdirSync(join(shared, cache), { recursive: true });
    symlinkSync(join(shared, cache), join(dir, "cache", cache));
  }
  ebb = await startEbb({ dir });
});
afterAll(async () => {
  await ebb.stop();
  await rm(dir, { recursive: true, force: true });
});

describe.each(examples)("examples/%s", (name) => {
  const expected = JSON.parse(readFileSync(join(root, name, "expect.json"), "utf8")) as Expectation;
  const missing = (expected.needs ?? []).filter((program) => !onPath(program));

  test("deploys and answers", { timeout: 180_000 }, async (context) => {
    if (missing.length > 0) return context.skip(`not on PATH: ${missing.join(", ")}`);
    const service = `example-${name}`;
    const deploy = ["deploy", join(root, name), "--name", service, "--wait", "60s", ...(expected.deploy ?? [])];
    const { code, stdout, stderr } = await ebb.ebb(...deploy);
    expect({ code, stderr: code === 0 ? "" : stderr, stdout }).toMatchObject({ code: 0 });
    for (const call of expected.calls) await check(`${service}.default.localhost`, call);
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
