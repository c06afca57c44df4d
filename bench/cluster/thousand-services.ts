import type { BenchRow } from "../report.ts";
import { asleep, createService, memoryOf, pause, untilReady, type Plane } from "./plane.ts";

const services = 1000;
/** As many creates at once as a `kubectl apply` of a folder by several hands. */
const hands = 10;
const minutes = 5;
const settleMs = 20_000;

/** Memory with nothing, the time a thousand sleeping Services take to be ready, memory with them. */
export async function thousandServices(plane: Plane): Promise<readonly BenchRow[]> {
  const idle = await memoryOf(plane.client);
  const began = performance.now();
  const names = Array.from({ length: services }, (_, i) => `sleeping-${i}`);
  await Promise.all(
    Array.from({ length: hands }, async (_, hand) => {
      for (let i = hand; i < services; i += hands)
        await createService(plane, { name: names[i] ?? "", annotations: asleep });
    }),
  );
  const appliedS = (performance.now() - began) / 1000;
  await untilReady(plane, services, 3 * minutes * 60_000);
  const readyS = (performance.now() - began) / 1000;
  await pause(settleMs);
  const full = await memoryOf(plane.client);
  return [
    memoryRow("memory of control plane and router, no Service", idle, 200),
    {
      what: `${services} Services with initial scale 0, all ready`,
      measured: `${readyS.toFixed(0)} s (${appliedS.toFixed(0)} s of them to create)`,
      target: `≤ ${minutes} min`,
      met: readyS <= minutes * 60,
    },
    memoryRow(`memory of control plane and router, ${services} sleeping`, full, 300),
  ];
}

function memoryRow(what: string, { controller, router }: Awaited<ReturnType<typeof memoryOf>>, most: number): BenchRow {
  const all = Math.round(controller + router);
  const measured = `${all} MB (${Math.round(controller)} + ${Math.round(router)})`;
  return { what, measured, target: `≤ ${most} MB`, met: all <= most };
}
