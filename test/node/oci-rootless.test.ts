/** Containers by a user who is not root: user namespaces instead of rights. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
const program = join(import.meta.dirname, "fixtures/rootless-pods.ts");
const run = promisify(execFile);
const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

const missing = await whatIsMissing();
// oxlint-disable-next-line no-console -- a skipped test must be seen
if (missing !== undefined) console.warn(`SKIPPED: containers without root: ${missing}`);

async function whatIsMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "the test itself needs root, to give it up";
  if (!existsSync("/bin/busybox")) return "no /bin/busybox (package busybox-static)";
  const tries: readonly (readonly [string, readonly string[], string])[] = [
    ["setpriv", [...nobody, "unshare", "-Urn", "/bin/true"], "user namespaces are not open to everybody here"],
    ["setpriv", [...nobody, process.execPath, "--check", program], "this folder is not readable for everybody"],
    ["runc", ["--version"], "no runc"],
  ];
  for (const [file, args, message] of tries)
    if ((await run(file, args, { env }).catch(() => true)) === true) return message;
  return undefined;
}

test.skipIf(missing !== undefined)(
  "a user without rights runs an image on port 80 in a network of its own",
  async () => {
    const { stdout, stderr } = await run("setpriv", [...nobody, process.execPath, program], { env, timeout: 60_000 });
    const seen: Readonly<Record<string, unknown>> = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    expect(seen, stderr).toMatchObject({
      uid: 65534,
      podIP: expect.stringMatching(/^127\./),
      page: "hello from nobody\n",
      ended: { exitCode: 9, message: "0\nwrote" },
    });
  },
);
