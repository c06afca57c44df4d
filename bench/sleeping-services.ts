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
    const answer = await ebb.call(`${name}.default.localhost`);
    if (answer.status !== 200) throw new Error(`${name} answered ${answer.status}: ${answer.body}`);
    times.push(answer.ms);
  }
  return times;
}

/** Deploys one source under many names, built once, with a short window; waits until all are ready. */
export async function deployAll({ ebb, client }: Bench, names: readonly string[], path: string): Promise<void> {
  const [first = ""] = names;
  const built = await ebb.ebb("deploy", path, "--name", `${first}-image`, "--json");
  if (built.code !== 0) throw new Error(built.stderr);
  const { image } = JSON.parse(built.stdout) as { readonly image: string };
  for (const name of names)
    await client.create(KnativeServiceKind, {
      metadata: { name, namespace: "default" },
      spec: { template: { metadata: { name: "", annotations: window }, spec: { containers: [{ image }] } } },
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
