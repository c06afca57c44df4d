import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { PodKind } from "../src/api/core/kinds.ts";
import { KnativeServiceKind } from "../src/api/serving/kinds.ts";
import type { HttpClient } from "../src/client/http-client.ts";
import { eventually, type EbbProcess } from "../test/e2e/ebb-process.ts";

const window = { "autoscaling.knative.dev/window": "6s" };

/** A running ebb and its API. */
export interface Bench {
  readonly ebb: EbbProcess;
  readonly client: HttpClient;
}

/** Waits until no instance runs: all services are asleep. */
export async function untilAsleep(client: HttpClient): Promise<void> {
  await eventually(
    "all are asleep",
    async () => ((await client.list(PodKind, {})).items.length === 0 ? true : undefined),
    { deadlineMs: 120_000, everyMs: 500 },
  );
}

/** Between wakes the warm pool fills up again: what is measured is a wake, not a wake beside a refill. */
const betweenWakesMs = 700;

/** Calls sleeping services one after the other; milliseconds to each answer. */
export async function wakeEach(ebb: EbbProcess, names: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const name of names) {
    await sleep(betweenWakesMs);
    times.push(await wake(ebb, name));
  }
  return times;
}

/**
 * Milliseconds from opening a connection to the last byte of the answer. Over a bare socket: an HTTP client in this
 * process would take the processor from what is measured.
 */
export async function wake(ebb: EbbProcess, name: string): Promise<number> {
  const { hostname, port } = new URL(ebb.routerUrl);
  const began = performance.now();
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.write(`GET / HTTP/1.1\r\nHost: ${name}.default.localhost\r\nConnection: close\r\n\r\n`);
  const answer = await text(socket);
  const ms = performance.now() - began;
  if (!answer.startsWith("HTTP/1.1 200 ")) throw new Error(`${name} answered ${answer}`);
  return ms;
}

/**
 * Deploys one source under many names, built once, with a short window; waits until all are ready. A command replaces
 * what the image would run.
 */
export async function deployAll(
  { ebb, client }: Bench,
  names: readonly string[],
  path: string,
  command?: readonly string[],
): Promise<void> {
  const [first = ""] = names;
  const built = await ebb.ebb("deploy", path, "--name", `${first}-image`, "--json");
  if (built.code !== 0) throw new Error(built.stderr);
  const { image } = JSON.parse(built.stdout) as { readonly image: string };
  const container = { image, ...(command ? { command } : {}) };
  for (const name of names)
    await client.create(KnativeServiceKind, {
      metadata: { name, namespace: "default" },
      spec: { template: { metadata: { name: "", annotations: window }, spec: { containers: [container] } } },
    });
  await client.delete(KnativeServiceKind, { namespace: "default", name: `${first}-image` });
  await eventually(
    `${first} and those like it are ready`,
    async () => {
      const { items } = await client.list(KnativeServiceKind, { namespace: "default" });
      const ready = items.filter((one) =>
        one.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True"),
      );
      return ready.length === items.length ? true : undefined;
    },
    { deadlineMs: 120_000, everyMs: 500 },
  );
}
