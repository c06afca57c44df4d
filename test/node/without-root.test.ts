/** Pods of a user who is not root: user namespaces instead of rights. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
const program = (name: string): string => join(import.meta.dirname, "fixtures", `${name}.ts`);
const run = promisify(execFile);
const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

const missing = await whatIsMissing();
// oxlint-disable-next-line no-console -- a skipped test must be seen
if (missing !== undefined) console.warn(`SKIPPED: pods without root: ${missing}`);
const noContainers = missing ?? ((await works("runc", "--version")) && existsSync("/bin/busybox") ? undefined : "runc");

async function works(file: string, ...args: readonly string[]): Promise<boolean> {
  return await run(file, args, { env }).then(
    () => true,
    () => false,
  );
}

async function whatIsMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "the test itself needs root, to give it up";
  if (!(await works("setpriv", ...nobody, "unshare", "-Urn", "/bin/true")))
    return "user namespaces are not open to all";
  const reads = await works("setpriv", ...nobody, process.execPath, "--check", program("rootless-pods"));
  return reads ? undefined : "this folder is not readable for everybody";
}

async function seen(name: string): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = await run("setpriv", [...nobody, process.execPath, program(name)], { env, timeout: 60_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

test.skipIf(missing !== undefined)("volumes appear in places that exist on this machine and in new ones", async () => {
  expect(await seen("rootless-volumes")).toMatchObject({ exitCode: 4, message: "one\ntwo\n/etc/hosts" });
  expect(existsSync("/usr/new")).toBe(false);
});

test.skipIf(noContainers !== undefined)("an image runs on port 80 in a network of its own", async () => {
  expect(await seen("rootless-pods")).toMatchObject({
    uid: 65534,
    podIP: expect.stringMatching(/^127\./),
    page: "hello from nobody\n",
    ended: { exitCode: 9, message: "0\nwrote" },
  });
});
