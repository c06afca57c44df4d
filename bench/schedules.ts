/** Ten thousand PingSources on the real controllers and API server: how late each fires, and what they cost. */
import { PingSourceKind } from "../src/api/sources/kinds.ts";
import { createEventingPlane } from "../test/events/eventing-plane.ts";
import { percentile, report } from "./report.ts";

const count = 10_000;
/** Each fires once in so many seconds, spread evenly. */
const periodS = 600;
const measuredMs = 60_000;

const plane = await createEventingPlane();
const sink = { uri: "http://sink.example" };
const [heapBefore, startedMs] = [heap(), performance.now()];
for (let n = 0; n < count; n += 1) {
  const offset = Math.floor((n * periodS) / count);
  const schedule = `${offset % 60} ${Math.floor(offset / 60)}/10 * * * *`;
  const metadata = { name: `s${n}`, namespace: "default" };
  await plane.client.create(PingSourceKind, { metadata, spec: { schedule, timezone: "Europe/Berlin", sink } });
}
for (;;) {
  const last = await plane.client.get(PingSourceKind, { namespace: "default", name: `s${count - 1}` });
  if (last.status?.annotations?.["events.ebb.dev/next-run"] !== undefined) break;
  await new Promise((done) => setTimeout(done, 100));
}
console.log(`${count} made in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
await new Promise((done) => setTimeout(done, 2000));

const [cpu, from] = [process.cpuUsage(), performance.now()];
const late: number[] = [];
let seen = plane.sent.length;
while (performance.now() - from < measuredMs) {
  for (; seen < plane.sent.length; seen += 1) late.push(Date.now() - Date.parse(plane.sent[seen]?.event.time ?? ""));
  await new Promise((done) => setTimeout(done, 5));
}
const { user, system } = process.cpuUsage(cpu);
const percent = (user + system) / 10 / (performance.now() - from);
const expected = (count / periodS) * (measuredMs / 1000);
const all = Math.abs(late.length - expected) <= (2 * count) / periodS;
await plane.close();

report("schedules", [
  {
    what: `${count} schedules, ${(count / periodS).toFixed(0)} times a second: late by`,
    measured: `p50 ${percentile(late, 50).toFixed(0)} ms, most ${Math.max(...late).toFixed(0)} ms (${late.length} of ${expected.toFixed(0)})`,
    target: "≤ 1 s each",
    met: all && Math.max(...late) <= 1000,
  },
  {
    what: "processor time, with the statuses' writes",
    measured: `${percent.toFixed(1)} %`,
    target: "< 5 %",
    met: percent < 5,
  },
  {
    what: "memory of each, API object and informer included",
    measured: `${((heap() - heapBefore) / count / 1000).toFixed(1)} kB`,
    target: "none",
  },
]);
process.exit(0);

function heap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}
