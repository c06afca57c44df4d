/** The developer's commands against a real ebb: build, deploy, invoke, describe, logs, rollback, delete. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { startOurs, temporaryStore } from "../registry/registries.ts";
import { callRouter, eventually, type CommandResult } from "./ebb-process.ts";
import { openHome, type Home } from "./home.ts";

const work = mkdtempSync(join(tmpdir(), "ebb-commands-"));
let ebb: Home;
beforeAll(async () => {
  ebb = await openHome();
});
afterAll(async () => {
  await ebb.close();
  rmSync(work, { recursive: true, force: true });
});

function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(work, "f-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

const answering = (words: string): string =>
  `export default { fetch: async (r) => { console.log("called"); return new Response("${words} " + (process.env.WHO ?? "") + (await r.text())); } };`;

async function done(...args: string[]): Promise<CommandResult> {
  const result = await ebb.ebb(...args);
  expect(result.code, `${args.join(" ")}: ${result.stderr}${result.stdout}`).toBe(0);
  return result;
}

const json = <T>(result: CommandResult): T => JSON.parse(result.stdout) as T;
const body = async (name: string): Promise<string> => (await ebb.call(ebb.host(name))).body;

test("a function goes through its life: deployed, broken, rolled back, deployed again, deleted", async () => {
  const dir = folder({ "index.js": answering("one") });
  const first = json<{ readonly revision: string }>(await done("deploy", dir, "--name", "life", "--json"));
  expect(first.revision).toBe("life-00001");
  await done("deploy", dir, "--name", "life", "--env", "WHO=me");
  expect(await body("life")).toBe("one me");

  const broken = await ebb.ebb("deploy", folder({ "index.js": 'throw new Error("no good");' }), "--name", "life");
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain("no good");
  expect(broken.stderr).toContain("life-00002 goes on serving");
  expect(await body("life")).toBe("one me");
  const shown = (await done("describe", "life")).stdout;
  expect(shown).toMatch(/life-00003 +0 % +failed/);
  expect(shown).toMatch(/life-00002 +100 % +ready/);
  expect(shown).toContain("Error: no good");

  expect((await done("rollback", "life")).stdout).toContain("life is served by life-00001");
  expect(await body("life")).toBe("one ");
  const wrong = await ebb.ebb("rollback", "life", "--to", "life-00003");
  expect(wrong.stderr).toContain('revision "life-00003" is not ready; ready are');

  writeFileSync(join(dir, "index.js"), answering("two"));
  await done("deploy", dir, "--name", "life");
  expect(await body("life")).toBe("two ");

  expect(json(await done("delete", "life", "--json"))).toEqual({
    name: "life",
    namespace: ebb.namespace,
    deleted: true,
  });
  expect((await ebb.ebb("delete", "life")).code).toBe(1);
});

test("invoke sends data and events, and tells waking from running", async () => {
  const echo = `export default { fetch: async (r) => Response.json({ method: r.method, type: r.headers.get("ce-type"), body: await r.text() }) };`;
  await done("deploy", folder({ "index.js": echo }), "--name", "echo");
  const sent = json<{ readonly body: string; readonly timing: { readonly runMs: number } }>(
    await done("invoke", "echo", "--type", "a.b", "-d", '{"n":1}', "--json"),
  );
  expect(JSON.parse(sent.body)).toEqual({ method: "POST", type: "a.b", body: '{"n":1}' });
  expect(sent.timing.runMs).toBeGreaterThan(0);
  expect((await done("invoke", "echo", "--timing")).stderr).toMatch(/queue 0\.0 ms, wake 0\.0 ms, run \d/);
  const none = await ebb.ebb("invoke", "nobody");
  expect(none).toMatchObject({ code: 1, stdout: "" });
  expect(none.stderr).toContain('there is no service "nobody"');
});

test("a command runs in an instance, with its input, output and exit code", async () => {
  await done("deploy", folder({ "index.js": answering("x") }), "--name", "inside");
  await body("inside");
  const ran = await ebb.ebb("exec", "inside", "--", "node", "-e", "console.log(6 * 7); process.exit(3)");
  expect(ran).toMatchObject({ code: 3, stdout: "42\n" });
  expect((await ebb.ebb("exec", "inside", "--instance", "nobody", "--", "true")).stderr).toMatch(
    /running: inside-00001-/,
  );
});

test("a port of this machine leads to a service through the router, or straight to an instance", async () => {
  const told = `export default { fetch: (r) => new Response(new URL(r.url).host + " " + r.headers.get("x-asked")) };`;
  await done("deploy", folder({ "index.js": told }), "--name", "there");
  for (const extra of [[], ["--instance"]]) {
    const stop = new AbortController();
    const opened = await ebb.start(["port-forward", "there", "--json", ...extra], stop.signal);
    const { port } = JSON.parse(opened.firstLine) as { readonly port: number };
    const answer = await callRouter(`http://127.0.0.1:${port}`, "anything", { headers: { "x-asked": "me" } });
    expect(answer).toMatchObject({
      status: 200,
      body: expect.stringMatching(extra.length > 0 ? /^anything me$/ : /^there\..* me$/),
    });
    stop.abort();
    expect(await opened.ended).toBe(0);
  }
});

test("a folder of functions is deployed whole or not at all", async () => {
  const dir = folder({ "left/index.js": answering("left"), "right.js": answering("right") });
  await done("deploy", dir);
  expect([await body("left"), await body("right")]).toEqual(["left ", "right "]);
  writeFileSync(join(dir, "left/index.js"), answering("changed"));
  writeFileSync(join(dir, "right.js"), "export default {");
  const failed = await ebb.ebb("deploy", dir);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/right\.js:1:\d+:/);
  expect(await body("left")).toBe("left ");
});

test("what would be applied is printed as YAML, with what flags and func.yaml say", async () => {
  const dir = folder({
    "index.js": answering("x"),
    "func.yaml": "specVersion: 0.36.0\nname: said\nruntime: node\nrun:\n  envs:\n    - name: A\n      value: file\n",
  });
  const flags = ["--memory", "64Mi", "--min", "1", "--secret", "T=s:k", "--label", "team=a", "--timeout", "9"];
  const { stdout } = await done("deploy", dir, "--dry-run", ...flags);
  const service = parse(stdout) as { readonly metadata: object; readonly spec: { readonly template: object } };
  expect(service.metadata).toMatchObject({ name: "said", labels: { team: "a" } });
  expect(service.spec.template).toMatchObject({
    metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } },
    spec: {
      timeoutSeconds: 9,
      containers: [
        {
          resources: { limits: { memory: "64Mi" } },
          env: [
            { name: "A", value: "file" },
            { name: "T", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
          ],
        },
      ],
    },
  });
  const two = await done("deploy", folder({ "a.js": answering("a"), "b.js": answering("b") }), "--dry-run");
  expect(parseAllDocuments(two.stdout)).toHaveLength(2);
});

test("a missing secret is said before anything changes, and a present one arrives", async () => {
  const source = folder({ "index.js": `export default { fetch: () => new Response(process.env.TOKEN) };` });
  const refused = await ebb.ebb("deploy", source, "--name", "keeper", "--secret", "TOKEN=vault:token");
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain('keeper needs secret "vault"');
  expect((await ebb.ebb("describe", "keeper")).code).toBe(1);
  const secret = `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"vault"},"stringData":{"token":"s3"}}`;
  const made = await ebb.kubectl(["apply", "-f", "-"], { stdin: secret });
  if (made.code === 127) return;
  await done("deploy", source, "--name", "keeper", "--secret", "TOKEN=vault:token");
  expect(await body("keeper")).toBe("s3");
});

test("a schedule calls the function at its times, and goes when the next deployment has none", async () => {
  const source = folder({
    "index.js": `let last = "none";
export default { async fetch(request) {
  const type = request.headers.get("ce-type");
  if (type) last = \`\${type} \${await request.text()}\`;
  return new Response(last);
} };`,
  });
  expect((await ebb.ebb("deploy", source, "--schedule", "every day")).code).toBe(2);
  expect((await ebb.ebb("deploy", source, "--schedule", "@every 5m")).stderr).toContain('"*/5 * * * *"');
  expect((await ebb.ebb("deploy", source, "--schedule", "@daily", "--timezone", "Berlin")).stderr).toContain(
    "Europe/Berlin",
  );
  await done("deploy", source, "--name", "ticker", "--schedule", "* * * * * *", "--timezone", "Europe/Berlin");
  await eventually("a call by schedule", async () =>
    (await body("ticker")) === "dev.knative.sources.ping {}" ? true : undefined,
  );
  const told = await eventually("the times in describe", async () => {
    const { stdout } = await done("describe", "ticker");
    return stdout.includes("last ") ? stdout : undefined;
  });
  expect(told).toMatch(/^Schedule +\* \* \* \* \* \* \(Europe\/Berlin\), last \S+ ago, next at 20\S+Z$/m);
  await done("deploy", source, "--name", "ticker");
  expect((await done("get", "pingsources")).stderr).toContain("no pingsources");
});

test("logs of an instance can be read line by line, with their time", async () => {
  await done("deploy", folder({ "index.js": answering("x") }), "--name", "talker");
  await body("talker");
  const line = await eventually("a line of log", async () => {
    const { stdout } = await done("logs", "talker", "--json", "--since", "1m");
    return stdout === "" ? undefined : (JSON.parse(stdout.split("\n")[0] ?? "") as Record<string, string>);
  });
  expect(line).toMatchObject({ revision: "talker-00001", line: "called" });
  const typed = `ebb logs --kubeconfig ${ebb.kubeconfig} -n ${ebb.namespace} t`;
  expect((await done("completion", "--words", "logs", "--typed", typed)).stdout).toContain("talker");
  if (ebb.kind === "standalone") expect((await done("completion", "--words", "logs")).stdout).toContain("talker");
});

test("build explains what it takes a source for, and builds without an ebb running", async () => {
  const dir = folder({ "index.ts": answering("x"), "app.py": "" });
  const explained = await ebb.ebb("build", dir, "--explain");
  expect(explained.stdout).toMatch(/index\.ts/);
  expect(explained.stdout).toMatch(/app\.py/);
  const elsewhere = mkdtempSync(join(work, "store-"));
  const built = json<{ readonly image: string; readonly layers: readonly object[] }>(
    await done("build", join(dir, "index.ts"), "--name", "alone", "--data", elsewhere, "--json"),
  );
  expect(built.image).toMatch(/^dev\.local\/default\/alone@sha256:[0-9a-f]{64}$/);
  expect(built.layers.length).toBeGreaterThan(0);
});

test("what is built and deployed can be pushed, of a rebuilt function only what changed travels", async () => {
  const { store, remove } = temporaryStore();
  const registry = await startOurs(store);
  try {
    const dir = folder({ "index.js": answering("a") });
    const to = ["--push", `${registry.host}/team/pushed:v1`, "--insecure"];
    const first = await done("build", dir, "--name", "pushed", ...to, "--json");
    const { image } = json<{ readonly image: string }>(first);
    expect(image).toMatch(new RegExp(`^${registry.host}/team/pushed@sha256:`));
    expect((await store.resolve(image))?.digest).toBe(image.slice(image.indexOf("@") + 1));
    const again = await done("build", dir, "--name", "pushed", ...to);
    expect(again.stderr).toContain("0 B in 0 blobs travelled");
    const planned = await done("deploy", dir, "--name", "pushed", "--push", "localhost:1/x", "--dry-run");
    // For a cluster it gets a base.
    const digest = ebb.kind === "cluster" ? "" : image.slice(image.indexOf("@sha256:") + "@sha256:".length);
    expect(planned.stdout).toContain(`image: localhost:1/x@sha256:${digest}`);
    const refused = await ebb.ebb("build", dir, "--push", "127.0.0.1:1/x", "--insecure");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/ebb: .*127\.0\.0\.1:1/);
  } finally {
    await registry.close();
    remove();
  }
});

test("wrong use has exit code 2 and names the flag", async () => {
  for (const [flag, value] of [
    ["--memory", "lots"],
    ["--secret", "A=b"],
    ["--model", "magic"],
    ["--min", "-1"],
    ["--label", "x"],
  ] as const) {
    const { code, stderr } = await ebb.ebb("deploy", ".", `${flag}=${value}`);
    expect(stderr).toContain(flag);
    expect(code).toBe(2);
  }
});
