import { execFileSync } from "node:child_process";
import type { BenchRow } from "../report.ts";
import { createService, podsOf, routerFor, untilReady, type Plane } from "./plane.ts";

/** What Knative's activator and queue-proxy reached on a machine of this size, requests a second. */
const knative = 2500;
const times = 5;

/** What else runs on the machine only takes away: the best round is nearest to what the way itself costs. */
const rounds = 3;

/** wrk through the router, and at the instance itself for what the way costs, in turns. */
export async function requestPath(plane: Plane): Promise<readonly BenchRow[]> {
  const name = "steady";
  await createService(plane, { name, annotations: { "autoscaling.knative.dev/min-scale": "1" } });
  const host = (await untilReady(plane, 1, 120_000)).get(name) ?? "";
  const [pod] = await podsOf(plane, name);
  const router = await routerFor(plane.client, host);
  wrk(`http://${router}/`, host, 2);
  let [through, direct] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    through = Math.max(through, wrk(`http://${router}/`, host, 5));
    direct = Math.max(direct, wrk(`http://${pod?.status?.podIP}:8080/`, host, 3));
  }
  const target = `≥ ${times} × ${knative} (activator and queue-proxy)`;
  return [
    {
      what: `request path, Go hello, wrk -t1 -c32, best of ${rounds}`,
      measured: `${Math.round(through)} req/s, ${(through / knative).toFixed(1)} ×`,
      target,
      met: through >= times * knative,
    },
    {
      what: "the instance itself, without a router",
      measured: `${Math.round(direct)} req/s; the router gives ${Math.round((100 * through) / direct)} % of it`,
      target: "none",
    },
  ];
}

function wrk(url: string, host: string, seconds: number): number {
  const args = ["-t1", "-c32", `-d${seconds}s`, "-H", `Host: ${host}`, url];
  const text = execFileSync("wrk", args, { encoding: "utf8" });
  const failed = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(text)?.[0];
  if (failed !== undefined) throw new Error(`wrk against ${url}: ${failed}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
}
