import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { SourceError } from "./source.ts";
import { runTool } from "./run-tool.ts";

const sh = (script: string) => ({ tool: "sh", args: ["-c", script], cwd: tmpdir(), remedy: "install a shell" });
const context = () => ({ env: process.env, signal: new AbortController().signal });

test("output comes back, and the run's own environment wins over the build's", async () => {
  const run = { ...sh("echo out:$WHO; echo err >&2"), env: { WHO: "me" } };
  expect(await runTool({ ...context(), env: { ...process.env, WHO: "you" } }, run)).toEqual({
    stdout: "out:me\n",
    stderr: "err\n",
  });
});

test("a tool that fails says so with its last words", async () => {
  await expect(runTool(context(), sh("echo no such crate >&2; exit 3"))).rejects.toThrow(
    /ended with code 3:\nno such crate/,
  );
});

test("a tool that is not installed is named with the remedy", async () => {
  const missing = runTool(context(), { ...sh(""), tool: "no-such-compiler", remedy: "install it from example.com" });
  await expect(missing).rejects.toThrow(SourceError);
  await expect(missing).rejects.toThrow('"no-such-compiler" is not on PATH: install it from example.com');
});

test("an abort ends the tool and what it started", async () => {
  const abort = new AbortController();
  const running = runTool({ env: process.env, signal: abort.signal }, sh("sleep 600 & wait"));
  abort.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});
