import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { hostProgram } from "../../src/functions/hosts/host-program.ts";
import { freePort } from "../free-port.ts";

const fixtures = resolve(import.meta.dirname, "fixtures");
const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

/** As a container does it: nothing but words and environment. */
async function serve(args: readonly string[], env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const program = await hostProgram("node", join(tmpdir(), "ebb-test-cache"));
  const child = spawn(process.execPath, [program, "serve", ...args], {
    env,
    cwd: fixtures,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  return child;
}

async function answers(url: string): Promise<string> {
  let text = "";
  await expect
    .poll(
      () =>
        fetch(url).then(
          async (response) => (text = await response.text()),
          () => undefined,
        ),
      { timeout: 10_000 },
    )
    .toBeDefined();
  return text;
}

test("serves alone on PORT, told by the environment", async () => {
  const port = await freePort();
  await serve([], { EBB_ENTRY: "fetch-function.mjs", PORT: String(port) });
  expect(await answers(`http://127.0.0.1:${port}/moon`)).toBe("hello /moon");
});

test("serves alone as flags say, which go before the environment, and drains on TERM", async () => {
  const port = await freePort();
  const child = await serve(["node-http-function.mjs", "--model", "node-http", `--port=${port}`], { PORT: "1" });
  expect(await answers(`http://127.0.0.1:${port}/x`)).toBe("node GET /x");
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("a function with a server of its own has PORT when it stands alone", async () => {
  const port = await freePort();
  await serve(["own-server-function.mjs"], { PORT: String(port) });
  expect(await answers(`http://127.0.0.1:${port}/`)).toBe("own server");
});

test.each(["loopback-server-function.mjs", "loopback-options-function.mjs"])(
  "%s, which listens on loopback, is reached at other addresses of its container too",
  async (entry) => {
    const port = await freePort();
    await serve([entry], { PORT: String(port) });
    expect(await answers(`http://127.0.0.2:${port}/`)).toBe("by loopback");
  },
);

test.each([
  [[], /^no entry module is given\nusage: /],
  [["a.mjs", "b.mjs"], /^"b\.mjs" is one module too many/],
  [["a.mjs", "--modle", "fetch"], /^there is no flag --modle/],
  [["a.mjs", "--model", "fetsch"], /^there is no model "fetsch": known are auto, fetch/],
  [["a.mjs", "--port", "x"], /^port must be a whole number from 1 to 65535, not "x"/],
  [["no-handler-function.mjs"], /^the module exports no handler/],
  [["throws-at-import.mjs"], /^TypeError: .*\n.*throws-at-import\.mjs:2/],
])("serve %j ends with the reason", async (args, says) => {
  const child = await serve(args, {});
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  expect((await once(child, "close"))[0]).toBe(1);
  expect(text).toMatch(says);
});
