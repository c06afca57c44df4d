/** Programs that do wrong: who deploys them is told what, who calls them gets an answer, the others go on. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { eventually, type CommandResult } from "./ebb-process.ts";
import { homeKind, openHome, patienceMs, type Home } from "./home.ts";

vi.setConfig({ testTimeout: patienceMs(60_000), hookTimeout: patienceMs(30_000) });

let ebb: Home;
const host = (name: string): string => ebb.host(name);

beforeAll(async () => {
  ebb = await openHome();
  expect(await deploy("good", "index.ts", 'export default { fetch: () => new Response("good") };')).toMatchObject({
    code: 0,
  });
});
afterAll(() => ebb.close());
afterEach(async () => {
  expect(await ebb.call(host("good"))).toMatchObject({ status: 200, body: "good" });
});

async function deploy(name: string, file: string, source: string, ...options: string[]): Promise<CommandResult> {
  const dir = join(ebb.dir, "sources", name);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, file), source);
  return await ebb.ebb("deploy", dir, ...options);
}

test.each([
  ["throws", "index.ts", 'throw new Error("no database here");', "(ExitCode1)", "no database here"],
  ["exits", "index.ts", 'console.error("config missing"); process.exit(3);', "(ExitCode3)", "config missing"],
  ["timer", "index.ts", "setInterval(() => {}, 1000);", "(ExitCode1)", "the module exports no handler"],
  ["raises", "app.py", 'raise KeyError("no such setting")\n', "(ExitCode1)", "no such setting"],
  [
    "elsewhere",
    "app.py",
    'import http.server as h\nh.HTTPServer(("127.0.0.1", 39123), h.SimpleHTTPRequestHandler).serve_forever()\n',
    "(ExitCode",
    "the program listens on port 39123 ",
  ],
])("%s: the deployer is told why, and callers in one line", async (name, file, source, code, words) => {
  const deployed = await deploy(name, file, source);
  expect(deployed.code).toBe(1);
  expect(deployed.stderr).toContain(`${ebb.namespace}/${name} is not ready ${code}`);
  expect(deployed.stderr).toContain(words);
  const answer = await ebb.call(host(name));
  expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  expect(answer.body).toMatch(new RegExp(`^no revision of service ${ebb.namespace}/${name} is ready: .*\\n$`));
});

test.each([
  ["syntax", "app.py", "def x(:\n  pass\n", "app.py:1:7: SyntaxError: invalid syntax"],
  ["compile", "index.ts", "export default {\n  fetch( {\n};\n", "index.ts:3:2: "],
])("%s: what does not compile is not deployed, and its file and line are told", async (name, file, source, words) => {
  const deployed = await deploy(name, file, source);
  expect(deployed.code).toBe(1);
  expect(deployed.stderr).toContain(words);
  expect(await ebb.call(host(name))).toMatchObject({ status: 404 });
});

test("never listens: deploying gives up in time, with the program's output", async () => {
  const wait = homeKind === "cluster" ? "15s" : "2s";
  const source = 'import time\nprint("only waiting", flush=True)\nwhile True: time.sleep(1)\n';
  const deployed = await deploy("silent", "app.py", source, "--wait", wait);
  expect(deployed.code).toBe(1);
  expect(deployed.stderr).toMatch(/\/silent is not ready after (2|15)s: Container .* is running but not ready\n/);
  expect(deployed.stderr).toContain("its last output:\n    only waiting\n");
  expect(deployed.stderr).toContain("must listen on the port in the environment variable PORT");
  expect(await ebb.call(host("silent"))).toMatchObject({ status: 503 });
});

test("listens late: deploying waits for it", async () => {
  const source = `import http.server as h, os, time
time.sleep(4)
h.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), h.SimpleHTTPRequestHandler).serve_forever()
`;
  expect(await deploy("late", "app.py", source)).toMatchObject({ code: 0 });
  expect(await ebb.call(host("late"))).toMatchObject({ status: 200 });
});

test("hangs: callers get 504 after the function's time-out", async () => {
  const source = "export default { fetch: () => new Promise(() => {}) };";
  expect(await deploy("hangs", "index.ts", source, "--timeout", "1")).toMatchObject({ code: 0 });
  const answer = await ebb.call(host("hangs"));
  expect(answer).toMatchObject({ status: 504, body: "request timeout\n" });
  expect(answer.ms).toBeGreaterThan(950);
});

test("answers rubbish: callers get 502", async () => {
  const source = `import { createServer } from "node:net";
createServer((s) => s.once("data", () => s.end("no such protocol\\r\\n\\r\\n"))).listen(Number(process.env.PORT));
`;
  expect(await deploy("rubbish", "index.ts", source)).toMatchObject({ code: 0 });
  const answer = await ebb.call(host("rubbish"));
  expect(answer).toMatchObject({ status: 502, body: "the instance sent a malformed response\n" });
});

test("leaks: the instance over its memory limit is ended and replaced, its pod and Service say OOMKilled", async () => {
  const source = `const kept = []; export default { fetch: () => {
    kept.push(Buffer.alloc(64 << 20, 1)); return new Response(String(kept.length)); } };`;
  const deployed = await deploy("leaks", "index.ts", source, "--json");
  const { image } = JSON.parse(deployed.stdout);
  const container = { name: "user-container", image, resources: { limits: { memory: "256Mi" } } };
  const patch = JSON.stringify({ spec: { template: { spec: { containers: [container] } } } });
  expect(await ebb.kubectl(["patch", "ksvc", "leaks", "--type=merge", "-p", patch])).toMatchObject({ code: 0 });
  expect(
    await ebb.kubectl(["wait", "ksvc/leaks", "--for=jsonpath={.status.latestReadyRevisionName}=leaks-00002"]),
  ).toMatchObject({ code: 0 });
  let seen = "";
  await eventually(
    "one request too many fails",
    async () => {
      const answer = await ebb.call(host("leaks"), { method: "POST" });
      seen = `${answer.status} ${answer.body}`;
      return answer.status === 502 ? true : undefined;
    },
    { seen: () => seen },
  );
  expect(await ebb.call(host("leaks"))).toMatchObject({ status: 200 });
  const pods = await ebb.kubectl(["get", "pods", "-l", "serving.knative.dev/revision=leaks-00002", "-o", "json"]);
  expect(pods.stdout).toContain('"OOMKilled"');
  await eventually(
    "the Service says it too",
    async () => {
      const path = "jsonpath={.status.conditions[?(@.type=='InstancesHealthy')].message}";
      seen = (await ebb.kubectl(["get", "ksvc", "leaks", "-o", path])).stdout;
      // Who runs the pod has its own words: ebb's node agent those of the limit.
      const words = [
        "OOMKilled: it needed more memory than its limit of 256Mi",
        "it was killed for want of memory (OOMKilled): it needs a higher memory limit",
      ];
      return words.some((one) => seen === `Container failed with: ${one}`) || undefined;
    },
    { seen: () => seen },
  );
});

test.skipIf(homeKind === "cluster")(
  "an instance that is killed fails its POST with 502 and is replaced; GETs in between are answered",
  async () => {
    const begun = join(ebb.dir, "begun");
    const source = `import { writeFileSync } from "node:fs";
  export default { async fetch(request) {
    if (new URL(request.url).pathname === "/slow") {
      writeFileSync(${JSON.stringify(begun)}, "");
      await new Promise((done) => setTimeout(done, 20_000));
    }
    return new Response(String(process.pid)); } };`;
    expect(await deploy("killed", "index.ts", source)).toMatchObject({ code: 0 });
    const pid = Number((await ebb.call(host("killed"))).body);
    const slow = ebb.call(host("killed"), { path: "/slow", method: "POST" });
    await eventually("the function has the request", async () => (existsSync(begun) ? true : undefined));
    process.kill(pid, "SIGKILL");
    // The dying process' kernel may still take the connection of the next request.
    const next = await Promise.all([ebb.call(host("killed")), slow.then(() => ebb.call(host("killed")))]);
    expect((await slow).status).toBe(502);
    expect(next.map(({ status }) => status)).toEqual([200, 200]);
    expect(next.map(({ body }) => Number(body))).not.toContain(pid);
  },
);
