/** Eventing by the real `kn`, and plain Services of Kubernetes as subscribers, on a really started ebb. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasProgram, startEbb, type EbbProcess } from "./ebb-process.ts";

const hasKn = await hasProgram("kn");
if (!hasKn) process.stderr.write("kn-eventing.test.ts: no kn in PATH, its commands for Eventing are NOT tested\n");

const dir = mkdtempSync(join(tmpdir(), "ebb-kn-"));
let ebb: EbbProcess;
let kubeconfig = "";

const program = `export default async (request) => {
  console.log("got", request.headers.get("ce-type"), request.headers.get("ce-id"), request.headers.get("ce-region"), await request.text());
  return new Response("OK");
};`;
/** A program of the user's that sends to K_SINK once, and stays. Not every machine finds names below localhost. */
const sender = `const { request } = require("node:http");
const sink = new URL(process.env.K_SINK);
const { extensions } = JSON.parse(process.env.K_CE_OVERRIDES || "{}");
const event = { ...extensions, specversion: "1.0", id: process.env.EVENT_ID, source: "/program", type: "from.program" };
const headers = { host: sink.host, "content-type": "application/cloudevents+json" };
const again = () => setTimeout(send, 200);
const send = () => request({ host: "127.0.0.1", port: sink.port, path: sink.pathname, method: "POST", headers },
  (response) => response.resume().on("end", () => response.statusCode < 300 || again())).on("error", again).end(JSON.stringify(event));
send();
setInterval(() => {}, 1000);`;

const kn = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync("kn", [...args, "--kubeconfig", kubeconfig, "-n", "default"], {
    encoding: "utf8",
    timeout: 30_000,
  });
  expect([args.join(" "), status, stderr]).toEqual([args.join(" "), 0, expect.anything()]);
  return stdout;
};
const apply = async (manifest: string): Promise<void> => {
  expect(await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest })).toMatchObject({ code: 0 });
};
const ready = (kind: string, name: string): Promise<void> =>
  expect
    .poll(
      async () =>
        (await ebb.kubectl(["get", kind, name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']))
          .stdout,
      { timeout: 20_000 },
    )
    .toBe("True") as Promise<void>;
const sees = (text: RegExp): Promise<void> =>
  expect.poll(async () => (await ebb.ebb("logs", "f")).stdout, { timeout: 20_000 }).toMatch(text) as Promise<void>;
const send = (host: string, path: string, id: string, type = "order") =>
  ebb.call(host, {
    method: "POST",
    path,
    headers: { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/me", "ce-type": type },
    body: "x",
  });

beforeAll(async () => {
  ebb = await startEbb();
  kubeconfig = ebb.kubeconfig;
  writeFileSync(join(dir, "f.js"), program);
  writeFileSync(join(dir, "sender.cjs"), sender);
  expect(await ebb.ebb("deploy", join(dir, "f.js"), "--name", "f", "--min", "1")).toMatchObject({ code: 0 });
}, 90_000);
afterAll(async () => {
  await ebb.stop();
  rmSync(dir, { recursive: true });
});

describe.skipIf(!hasKn)("kn", () => {
  test("makes, shows, changes and deletes Brokers and Triggers", { timeout: 60_000 }, async () => {
    expect(
      kn("broker", "create", "b", "--retry", "2", "--backoff-policy", "linear", "--backoff-delay", "PT0.1S"),
    ).toContain("created");
    await ready("broker", "b");
    expect(kn("broker", "list")).toMatch(
      /^b +http:\/\/broker-ingress\.knative-eventing\.svc\.cluster\.local\/default\/b +.*True/m,
    );
    expect(kn("broker", "describe", "b")).toMatch(/Ready/);
    kn("trigger", "create", "t", "--broker", "b", "--filter", "type=order", "--sink", "ksvc:f");
    await ready("trigger", "t");
    expect(kn("trigger", "list")).toMatch(/^t +b +ksvc:f +.*True/m);
    expect(kn("trigger", "describe", "t")).toMatch(/type: +order/);
    expect((await send("broker-ingress.knative-eventing.localhost", "/default/b", "kn-1")).status).toBe(202);
    await sees(/got order kn-1/);
    kn("trigger", "update", "t", "--filter", "type=other");
    await expect
      .poll(
        async () => (await ebb.kubectl(["get", "trigger", "t", "-o", "jsonpath={.status.observedGeneration}"])).stdout,
      )
      .toBe("2");
    await send("broker-ingress.knative-eventing.localhost", "/default/b", "kn-2", "other");
    await sees(/got other kn-2/);
    kn("broker", "update", "b", "--retry", "5");
    expect(kn("eventtype", "list")).toMatch(/order/);
    kn("trigger", "delete", "t");
    kn("broker", "delete", "b", "--wait");
    expect(kn("broker", "list")).not.toMatch(/^b /m);
  });

  test("makes, shows and deletes channels and Subscriptions", { timeout: 60_000 }, async () => {
    expect(kn("channel", "list-types")).toMatch(/InMemoryChannel +inmemorychannels/);
    kn("channel", "create", "pipe");
    kn("channel", "create", "direct", "--type", "imc");
    // `channel` is a category, as upstream: it names more than one kind.
    await ready("channels", "pipe");
    kn("subscription", "create", "s", "--channel", "pipe", "--sink", "ksvc:f");
    kn("subscription", "create", "d", "--channel", "imc:direct", "--sink", "ksvc:f", "--sink-dead-letter", "ksvc:f");
    await ready("subscription", "s");
    await ready("subscription", "d");
    expect(kn("subscription", "list")).toMatch(/^s +Channel:pipe +ksvc:f/m);
    expect(kn("subscription", "describe", "d")).toMatch(/direct/);
    expect(kn("channel", "describe", "pipe")).toMatch(/http:\/\/pipe-kn-channel\.default\.svc\.cluster\.local/);
    expect((await send("pipe-kn-channel.default.localhost", "/", "kn-3")).status).toBe(202);
    expect((await send("direct-kn-channel.default.localhost", "/", "kn-4")).status).toBe(202);
    await sees(/got order kn-3/);
    await sees(/got order kn-4/);
    kn("subscription", "update", "s", "--sink-dead-letter", "ksvc:f");
    kn("subscription", "delete", "s");
    kn("channel", "delete", "pipe");
    kn("channel", "delete", "direct");
  });

  test("makes, shows, changes and deletes sources", { timeout: 90_000 }, async () => {
    expect(kn("source", "list-types")).toMatch(/PingSource/);
    kn(
      "source",
      "ping",
      "create",
      "p",
      "--schedule",
      "* * * * * *",
      "--data",
      '{"a":1}',
      "--sink",
      "ksvc:f",
      "--ce-override",
      "region=eu",
    );
    await sees(/got dev\.knative\.sources\.ping \S+ eu \{"a":1\}/);
    kn("source", "ping", "update", "p", "--schedule", "@hourly");
    expect(kn("source", "ping", "describe", "p")).toMatch(/@hourly/);
    expect(kn("source", "ping", "list")).toMatch(/^p +@hourly +ksvc:f/m);
    // As the account that it names: without a role it would see nothing.
    for (const args of [
      ["create", "serviceaccount", "watcher"],
      ["create", "role", "watch", "--verb=get,list,watch", "--resource=configmaps"],
      ["create", "rolebinding", "watch", "--role=watch", "--serviceaccount=default:watcher"],
    ])
      expect(await ebb.kubectl(args)).toMatchObject({ code: 0 });
    const resources = ["--resource", "ConfigMap:v1", "--mode", "Resource", "--service-account", "watcher"];
    kn("source", "apiserver", "create", "a", ...resources, "--sink", "ksvc:f");
    await ready("apiserversource", "a");
    expect(await ebb.kubectl(["create", "configmap", "seen-by-kn"])).toMatchObject({ code: 0 });
    await sees(/got dev\.knative\.apiserver\.resource\.add .*seen-by-kn/);
    kn("source", "apiserver", "update", "a", "--ce-override", "region=eu");
    kn(
      "source",
      "container",
      "create",
      "c",
      "--image",
      "dev.local/default/f",
      "--cmd",
      process.execPath,
      "--arg",
      join(dir, "sender.cjs"),
      "--env",
      "EVENT_ID=from-container",
      "--sink",
      "ksvc:f",
    );
    kn(
      "source",
      "binding",
      "create",
      "bind",
      "--subject",
      "Deployment:apps/v1:program",
      "--sink",
      "ksvc:f",
      "--ce-override",
      "region=us",
    );
    await apply(`apiVersion: apps/v1
kind: Deployment
metadata: { name: program, namespace: default }
spec:
  selector: { matchLabels: { app: program } }
  template:
    metadata: { labels: { app: program } }
    spec:
      containers:
        - name: c
          image: dev.local/default/f
          command: ["${process.execPath}", "${join(dir, "sender.cjs")}"]
          env: [{ name: EVENT_ID, value: from-binding }]
`);
    await sees(/got .*"region":"us".*"id":"from-binding".*"type":"from.program"/);
    await sees(/got .*"id":"from-container"/);
    expect(kn("source", "list")).toMatch(/^bind +SinkBinding/m);
    expect(kn("source", "binding", "describe", "bind")).toMatch(/Deployment/);
    for (const [kind, name] of [
      ["ping", "p"],
      ["apiserver", "a"],
      ["container", "c"],
      ["binding", "bind"],
    ] as const)
      kn("source", kind, "delete", name);
    expect(kn("source", "list")).toMatch(/No sources found/);
  });
});

test("a plain Service is a subscriber, by reference and by its name in the cluster", { timeout: 60_000 }, async () => {
  const trigger = (name: string, subscriber: string): string => `---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name}, namespace: default }
spec: { broker: plain, subscriber: ${subscriber} }
`;
  await apply(`apiVersion: apps/v1
kind: Deployment
metadata: { name: plain, namespace: default }
spec:
  selector: { matchLabels: { app: plain } }
  template:
    metadata: { labels: { app: plain } }
    spec: { containers: [{ name: c, image: dev.local/default/f, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: plain, namespace: default }
spec: { selector: { app: plain }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: plain, namespace: default }
${trigger("by-ref", "{ ref: { apiVersion: v1, kind: Service, name: plain } }")}${trigger("by-name", '{ uri: "http://plain.default.svc.cluster.local/by-name" }')}${trigger("by-short-name", '{ uri: "http://plain.default.svc/by-short-name" }')}`);
  for (const name of ["by-ref", "by-name", "by-short-name"]) await ready("trigger", name);
  expect((await send("broker-ingress.knative-eventing.localhost", "/default/plain", "plain-1")).status).toBe(202);
  const logs = async (): Promise<number> =>
    (await ebb.kubectl(["logs", "deploy/plain"])).stdout.match(/got order plain-1/g)?.length ?? 0;
  await expect.poll(logs, { timeout: 30_000 }).toBe(3);
});
