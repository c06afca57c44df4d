/**
 * Cold starts on a real cluster: `node bench/cluster/cold-start.ts --router http://HOST:PORT --image IMAGE`, with
 * KUBECONFIG set and kubectl on PATH, ebb running there with warm pods for the image's runtime, and
 * allow-zero-initial-scale true in config-autoscaler. Makes Services that sleep in a namespace of its own, wakes each
 * once, alone and ten at a time, and with `--again MS` ten others that long after each burst; prints milliseconds as
 * percentiles, and removes what it made.
 */
import { execFileSync } from "node:child_process";
import { request } from "node:http";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    router: { type: "string", default: "http://127.0.0.1:8080" },
    image: { type: "string" },
    namespace: { type: "string", default: "ebb-bench-wake" },
    services: { type: "string", default: "20" },
    bursts: { type: "string", default: "2" },
    gap: { type: "string", default: "3000" },
    again: { type: "string" },
    settle: { type: "string", default: "5000" },
    keep: { type: "boolean", default: false },
  },
});
const { image, namespace, router } = values;
if (image === undefined) throw new Error("--image is to name a function's image, built with --base, by digest");
const count = Number(values.services);
const bursts = Number(values.bursts);
const burstSize = 10;
const singles = Array.from({ length: count }, (_, i) => `wake-${i}`);
const groups = (prefix: string): readonly (readonly string[])[] =>
  Array.from({ length: bursts }, (_, b) => Array.from({ length: burstSize }, (__, i) => `${prefix}-${b}-${i}`));
const together = groups("burst");
const soonAfter = values.again === undefined ? [] : groups("again");
const names = [...singles, ...together.flat(), ...soonAfter.flat()];

const kubectl = (args: readonly string[], input?: string): string =>
  execFileSync("kubectl", args, { encoding: "utf8", ...(input === undefined ? {} : { input }), maxBuffer: 1 << 26 });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const service = (name: string): object => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: {
    template: {
      metadata: {
        annotations: { "autoscaling.knative.dev/initial-scale": "0", "autoscaling.knative.dev/window": "6s" },
      },
      spec: { containers: [{ image }] },
    },
  },
});

async function hostsOf(): Promise<ReadonlyMap<string, string>> {
  for (let tries = 0; tries < 120; tries++) {
    const { items } = JSON.parse(kubectl(["-n", namespace, "get", "ksvc", "-o", "json"])) as {
      readonly items: readonly {
        readonly metadata: { readonly name: string };
        readonly status?: {
          readonly url?: string;
          readonly conditions?: readonly { readonly type: string; readonly status: string }[];
        };
      }[];
    };
    const ready = items.filter(({ status }) =>
      status?.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
    );
    if (ready.length === names.length)
      return new Map(ready.map(({ metadata, status }) => [metadata.name, new URL(status?.url ?? "").host]));
    await pause(1000);
  }
  throw new Error("not all Services became ready in two minutes");
}

interface PodJson {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** What came of making or calling Services is over: for a while pods wait, none starts and none ends. */
async function untilSettled(): Promise<void> {
  const asked = performance.now();
  for (let since = asked; performance.now() - asked < 90_000;) {
    const { items } = JSON.parse(kubectl(["-n", namespace, "get", "pods", "-o", "json"])) as {
      readonly items: readonly PodJson[];
    };
    const steady = items.every(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
    );
    if (!steady || items.length === 0) since = performance.now();
    if (performance.now() - since >= Number(values.settle)) return;
    await pause(500);
  }
  throw new Error("pods have started and ended for a minute and a half");
}

/** Milliseconds from the first byte sent to the last byte of a 200, on a connection of its own. */
function wake(host: string): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(router, { headers: { host }, agent: false }, (answer) => {
      answer.resume().on("end", () => {
        if (answer.statusCode === 200) resolve(performance.now() - began);
        else reject(new Error(`${host} answered ${answer.statusCode}`));
      });
    });
    asked.on("error", reject).end();
  });
}

function percentiles(ms: readonly number[]): object {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (p: number): number =>
    Math.round(10 * (sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0)) / 10;
  return { n: sorted.length, min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) };
}

try {
  kubectl(["create", "namespace", namespace]);
  kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: names.map(service) }));
  const hosts = await hostsOf();
  await untilSettled();
  const alone: number[] = [];
  for (const name of singles) {
    alone.push(await wake(hosts.get(name) ?? ""));
    await pause(Number(values.gap));
  }
  const burst: number[] = [];
  const again: number[] = [];
  const wakeAll = (group: readonly string[]): Promise<number[]> =>
    Promise.all(group.map((name) => wake(hosts.get(name) ?? "")));
  for (const [b, group] of together.entries()) {
    await untilSettled();
    burst.push(...(await wakeAll(group)));
    const others = soonAfter[b];
    if (!others) continue;
    await pause(Number(values.again));
    again.push(...(await wakeAll(others)));
  }
  const result = {
    alone: percentiles(alone),
    burst: percentiles(burst),
    ...(again.length > 0 ? { again: percentiles(again) } : {}),
    all: alone.map(Math.round),
    bursts: burst.map(Math.round),
    agains: again.map(Math.round),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  if (!values.keep) kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"]);
}
