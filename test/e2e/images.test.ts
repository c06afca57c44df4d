/** Images by the command line, around a running ebb: pushed to it, deployed by tag, kept while needed, moved in archives. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEbb, type CommandResult, type EbbProcess } from "./ebb-process.ts";
import { temporaryStore, startOurs, type RunningRegistry } from "../registry/registries.ts";

let ebb: EbbProcess;
let scratch: string;
let host: string;
const elsewhere = temporaryStore();
let registry: RunningRegistry;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "ebb-images-"));
  registry = await startOurs(elsewhere.store);
  ebb = await startEbb({ args: ["--registry-port", "0"] });
  const { registryUrl } = JSON.parse(await readFile(join(ebb.dir, "ebb.json"), "utf8")) as {
    readonly registryUrl: string;
  };
  host = new URL(registryUrl).host;
  ok(await ebb.ebb("deploy", join(import.meta.dirname, "../../examples/hello")));
}, 30_000);
afterAll(async () => {
  await ebb.stop();
  await registry.close();
  elsewhere.remove();
  await rm(scratch, { recursive: true, force: true });
});

function ok(result: CommandResult): string {
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result.stdout.trim();
}

const names = async (): Promise<readonly string[]> =>
  (JSON.parse(ok(await ebb.ebb("image", "ls", "--all", "--json"))) as readonly { readonly name: string }[]).map(
    (row) => row.name,
  );

test("a function's image goes to another registry and back, and runs there by the tag it was pushed under", async () => {
  const there = `${registry.host}/team/hello:v1`;
  const pushed = ok(await ebb.ebb("image", "push", "dev.local/default/hello", there));
  expect(pushed).toMatch(new RegExp(`^${registry.host}/team/hello@sha256:[0-9a-f]{64}$`));
  // Deployed without: attached at the latest when it leaves.
  const referrers = await fetch(`http://${registry.host}/v2/team/hello/referrers/${pushed.split("@")[1]}`);
  const attached = (await referrers.json()) as { readonly manifests: readonly { readonly artifactType: string }[] };
  expect(attached.manifests.map(({ artifactType }) => artifactType).sort()).toEqual([
    "application/spdx+json",
    "application/vnd.in-toto+json",
  ]);
  expect(ok(await ebb.ebb("image", "pull", there))).toBe(pushed);
  const service = (name: string, image: string): string =>
    `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {template: {spec: {containers: [{image: "${image}"}]}}}\n`;
  ok(
    await ebb.kubectl(["apply", "-f", "-"], {
      stdin: `${service("a", there)}---\n${service("b", `${host}/default/hello`)}`,
    }),
  );
  ok(await ebb.kubectl(["wait", "ksvc/a", "ksvc/b", "--for=condition=Ready", "--timeout=20s"]));
  for (const name of ["a", "b"])
    expect(await ebb.call(`${name}.default.localhost`, { path: "/?name=you" })).toMatchObject({
      body: "Hello, you!\n",
    });
  const image = ok(
    await ebb.kubectl(["get", "revision", "a-00001", "-o", "jsonpath={.status.containerStatuses[0].imageDigest}"]),
  );
  expect(image).toBe(pushed);
}, 40_000);

test("what a Revision needs outlives its tag; what nothing needs goes", async () => {
  ok(await ebb.ebb("image", "save", "-o", join(scratch, "hello.tar"), "dev.local/default/hello"));
  ok(await ebb.ebb("image", "load", join(scratch, "hello.tar"), "--name", "dev.local/other:v1"));
  expect(await names()).toContain("dev.local/other:v1");
  ok(await ebb.ebb("image", "rm", "dev.local/other:v1", "dev.local/default/hello"));
  ok(await ebb.ebb("image", "gc", "--older-than", "1ms"));
  expect(await names()).not.toContain("dev.local/other:v1");
  expect(await ebb.call("hello.default.localhost")).toMatchObject({ status: 200 });
  ok(await ebb.kubectl(["delete", "ksvc", "--all", "--wait"]));
  ok(await ebb.kubectl(["wait", "pods", "--all", "--for=delete", "--timeout=20s"]));
  for (const name of await names())
    ok(await ebb.ebb("image", "rm", name.includes("@") ? name.replace(/^.*@/, "") : name));
  const freed = JSON.parse(ok(await ebb.ebb("image", "gc", "--older-than", "1ms", "--json"))) as {
    readonly blobs: readonly string[];
  };
  expect(freed.blobs.length).toBeGreaterThan(2);
}, 60_000);

test("wrong use is told with what to do, and exit codes say whose fault it is", async () => {
  const says = async (code: number, words: string, ...args: readonly string[]) => {
    const result = await ebb.ebb("image", ...args);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(words)]);
  };
  await says(1, "no repository", "pull", `${registry.host}/none/such:v1`);
  await says(1, "not an image reference", "pull", "UPPER");
  await says(2, "names no registry", "push", "dev.local/default/hello");
  await says(2, "not of the form", "pull", "--platform", "arm", "x");
  await says(1, "ebb image ls", "inspect", "dev.local/none");
  await says(1, "no file", "load", join(scratch, "none.tar"));
  await says(1, "no archive", "load", join(import.meta.dirname, "images.test.ts"));
  await says(2, "node and python", "base", "cobol");
});
