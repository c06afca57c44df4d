/** Eventing by the real `kn`: on an ebb started for it, or on the cluster. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasProgram } from "./ebb-process.ts";
import { openHome, patienceMs, type Home } from "./home.ts";

const hasKn = await hasProgram("kn");
if (!hasKn) process.stderr.write("kn-eventing.test.ts: no kn in PATH, its commands for Eventing are NOT tested\n");

let home: Home;

/** Says what it got. Asked with ?to=URL, or bound to a sink, it sends an event there. */
const program = `
const post = (url, id) => fetch(url, { method: "POST", body: "x",
  headers: { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/me", "ce-type": "order", ...JSON.parse(process.env.K_CE_OVERRIDES || "{}").extensions && { "ce-region": JSON.parse(process.env.K_CE_OVERRIDES).extensions.region } } });
const until = async (id) => { while (!(await post(process.env.K_SINK, id).then((r) => r.ok, () => false))) await new Promise((done) => setTimeout(done, 300)); };
if (process.env.K_SINK && process.env.EVENT_ID) void until(process.env.EVENT_ID);
export default async (request) => {
  const { searchParams } = new URL(request.url);
  if (searchParams.has("to")) return new Response(null, { status: (await post(searchParams.get("to"), searchParams.get("id"))).status });
  console.log("got", request.headers.get("ce-type"), request.headers.get("ce-id"), request.headers.get("ce-region"), await request.text());
  return new Response("OK");
};`;

const kn = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync("kn", [...args, "--kubeconfig", home.kubeconfig, "-n", home.namespace], {
    encoding: "utf8",
    timeout: patienceMs(30_000),
  });
  expect([args.join(" "), status, stderr]).toEqual([args.join(" "), 0, expect.anything()]);
  return stdout;
};
const kubectl = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await home.kubectl([...args, "-n", home.namespace]);
  expect([args.join(" "), code, stderr]).toEqual([args.join(" "), 0, expect.anything()]);
  return stdout;
};
const ready = (kind: string, name: string): Promise<void> =>
  expect
    .poll(() => kubectl("get", kind, name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'), {
      timeout: patienceMs(20_000),
    })
    .toBe("True") as Promise<void>;
const sees = (text: RegExp): Promise<void> =>
  expect
    .poll(async () => (await home.ebb("logs", "f", "--tail", "200")).stdout, { timeout: patienceMs(20_000) })
    .toMatch(text) as Promise<void>;
const send = async (broker: string, id: string, type = "order"): Promise<void> => {
  expect(await home.ebb("events", "send", broker, "--id", id, "--type", type)).toMatchObject({ code: 0 });
};
/** By way of the router where that answers for channels, else from inside. */
async function sendToChannel(name: string, id: string): Promise<void> {
  const headers = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/me", "ce-type": "order" };
  const channel = `${name}-kn-channel.${home.namespace}`;
  const answer =
    home.kind === "standalone"
      ? await home.call(`${channel}.localhost`, { method: "POST", headers, body: "x" })
      : await home.call(home.host("f"), {
          path: `/?to=${encodeURIComponent(`http://${channel}.svc.cluster.local/`)}&id=${id}`,
        });
  expect(answer.status).toBe(202);
}

describe.skipIf(!hasKn)("kn", () => {
  beforeAll(async () => {
    home = await openHome();
    for (const name of ["f", "sender"]) {
      writeFileSync(join(home.dir, `${name}.js`), program);
      const deployed = await home.ebb(
        "deploy",
        join(home.dir, `${name}.js`),
        "--name",
        name,
        "--min",
        name === "f" ? "1" : "0",
      );
      expect(deployed, deployed.stderr).toMatchObject({ code: 0 });
    }
  }, patienceMs(90_000));
  afterAll(() => home.close());

  test("makes, shows, changes and deletes Brokers and Triggers", { timeout: patienceMs(60_000) }, async () => {
    const delivery = ["--retry", "2", "--backoff-policy", "linear", "--backoff-delay", "PT0.1S"];
    expect(kn("broker", "create", "b", ...delivery)).toContain("created");
    await ready("broker", "b");
    expect(kn("broker", "list")).toMatch(
      /^b +http:\/\/broker-ingress\.knative-eventing\.svc\.cluster\.local\/[^/]+\/b +.*True/m,
    );
    expect(kn("broker", "describe", "b")).toMatch(/Ready/);
    kn("trigger", "create", "t", "--broker", "b", "--filter", "type=order", "--sink", "ksvc:f");
    await ready("trigger", "t");
    expect(kn("trigger", "list")).toMatch(/^t +b +ksvc:f +.*True/m);
    expect(kn("trigger", "describe", "t")).toMatch(/type: +order/);
    await send("b", "kn-1");
    await sees(/got order kn-1/);
    kn("trigger", "update", "t", "--filter", "type=other");
    await expect.poll(() => kubectl("get", "trigger", "t", "-o", "jsonpath={.status.observedGeneration}")).toBe("2");
    await send("b", "kn-2", "other");
    await sees(/got other kn-2/);
    kn("broker", "update", "b", "--retry", "5");
    // kn knows v1beta2 alone, which a cluster does not serve: nothing there converts versions.
    if (home.kind === "standalone") expect(kn("eventtype", "list")).toMatch(/order/);
    kn("trigger", "delete", "t");
    kn("broker", "delete", "b", "--wait");
    expect(kn("broker", "list")).not.toMatch(/^b /m);
  });

  test("makes, shows and deletes channels and Subscriptions", { timeout: patienceMs(60_000) }, async () => {
    expect(kn("channel", "list-types")).toMatch(/InMemoryChannel +inmemorychannels/);
    kn("channel", "create", "pipe");
    kn("channel", "create", "direct", "--type", "imc");
    // `channel` is a category, as upstream: it names more than one kind.
    await ready("channels.messaging.knative.dev", "pipe");
    kn("subscription", "create", "s", "--channel", "pipe", "--sink", "ksvc:f");
    kn("subscription", "create", "d", "--channel", "imc:direct", "--sink", "ksvc:f", "--sink-dead-letter", "ksvc:f");
    await ready("subscription", "s");
    await ready("subscription", "d");
    expect(kn("subscription", "list")).toMatch(/^s +Channel:pipe +ksvc:f/m);
    expect(kn("subscription", "describe", "d")).toMatch(/direct/);
    expect(kn("channel", "describe", "pipe")).toMatch(/http:\/\/pipe-kn-channel\.[^.]+\.svc\.cluster\.local/);
    await sendToChannel("pipe", "kn-3");
    await sendToChannel("direct", "kn-4");
    await sees(/got order kn-3/);
    await sees(/got order kn-4/);
    kn("subscription", "update", "s", "--sink-dead-letter", "ksvc:f");
    kn("subscription", "delete", "s");
    kn("channel", "delete", "pipe");
    kn("channel", "delete", "direct");
  });

  test("makes, shows, changes and deletes sources", { timeout: patienceMs(90_000) }, async () => {
    expect(kn("source", "list-types")).toMatch(/PingSource/);
    const ping = ["--schedule", "* * * * * *", "--data", '{"a":1}', "--sink", "ksvc:f", "--ce-override", "region=eu"];
    kn("source", "ping", "create", "p", ...ping);
    await sees(/got dev\.knative\.sources\.ping \S+ eu \{"a":1\}/);
    kn("source", "ping", "update", "p", "--schedule", "@hourly");
    expect(kn("source", "ping", "describe", "p")).toMatch(/@hourly/);
    expect(kn("source", "ping", "list")).toMatch(/^p +@hourly +ksvc:f/m);
    await kubectl("create", "serviceaccount", "watcher");
    await kubectl(
      "create",
      "rolebinding",
      "watcher",
      "--clusterrole=view",
      `--serviceaccount=${home.namespace}:watcher`,
    );
    const watching = ["--resource", "ConfigMap:v1", "--mode", "Resource", "--service-account", "watcher"];
    kn("source", "apiserver", "create", "a", ...watching, "--sink", "ksvc:f");
    await ready("apiserversource", "a");
    await kubectl("create", "configmap", "seen-by-kn");
    await sees(/got dev\.knative\.apiserver\.resource\.add .*seen-by-kn/);
    kn("source", "apiserver", "update", "a", "--ce-override", "region=eu");
    const image = await kubectl("get", "ksvc", "sender", "-o", "jsonpath={.spec.template.spec.containers[0].image}");
    kn("source", "container", "create", "c", "--image", image, "--env", "EVENT_ID=from-container", "--sink", "ksvc:f");
    const binding = ["--subject", "Deployment:apps/v1:program", "--sink", "ksvc:f", "--ce-override", "region=us"];
    kn("source", "binding", "create", "bind", ...binding);
    const labels = { app: "program" };
    const containers = [{ name: "c", image, env: [{ name: "EVENT_ID", value: "from-binding" }] }];
    const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
    const metadata = { name: "program", namespace: home.namespace };
    const deployment = JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
    expect(await home.kubectl(["apply", "-f", "-"], { stdin: deployment })).toMatchObject({ code: 0 });
    await sees(/got order from-binding us/);
    await sees(/got order from-container/);
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
