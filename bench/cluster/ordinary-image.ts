import { percentile, type BenchRow } from "../report.ts";
import { asleep, call, createService, pause, routerFor, untilReady, watchBirths, type Plane } from "./plane.ts";

const services = 12;
/** Between two starts, so that what follows from one is over. */
const gapMs = 2500;
const mostMs = 100;

/**
 * First requests of sleeping Services whose image ebb did not build for warm pods. A pod's way from its creation to the
 * first instruction of its program is the kubelet's; everything else is ebb's.
 */
export async function ordinaryImage(plane: Plane): Promise<readonly BenchRow[]> {
  const names = Array.from({ length: services }, (_, i) => `image-${i}`);
  for (const name of names) await createService(plane, { name, annotations: asleep });
  const hosts = await untilReady(plane, services, 120_000);
  const stop = new AbortController();
  const births = watchBirths(plane, stop.signal);
  const all: number[] = [];
  const kubelet: number[] = [];
  const before: number[] = [];
  const after: number[] = [];
  await pause(2 * gapMs);
  for (const name of names) {
    const host = hosts.get(name) ?? "";
    const { sentMs, beganMs, endedMs } = await call(await routerFor(plane.client, host), host);
    const bornMs = births.get(name) ?? Number.NaN;
    all.push(endedMs - sentMs);
    kubelet.push(beganMs - bornMs);
    before.push(bornMs - sentMs);
    after.push(endedMs - beganMs);
    await pause(gapMs);
  }
  stop.abort();
  const own = before.map((ms, i) => ms + (after[i] ?? 0));
  const middle = (values: readonly number[]): number => Math.round(percentile(values, 50));
  return [
    {
      what: "cold start, ordinary image, beyond pod created → program begun (p50)",
      measured: `${middle(own)} ms (${middle(before)} until the pod is there, ${middle(after)} from the program's begin)`,
      target: `≤ ${mostMs} ms`,
      met: middle(own) <= mostMs,
    },
    {
      what: "the same in all, p50 and p95; of it the kubelet's",
      measured: `${middle(all)} and ${Math.round(percentile(all, 95))} ms; ${middle(kubelet)} ms`,
      target: "Knative 660–770 ms in all",
    },
  ];
}
