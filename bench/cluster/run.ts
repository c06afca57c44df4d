/**
 * `npm run bench:cluster -- --image IMAGE [--function IMAGE] [part…]`: the speed of an ebb that is installed on the
 * cluster of KUBECONFIG, run where pods and Services can be reached, with wrk on the PATH. IMAGE is bench/cluster/hello,
 * --function any source function that a warm pod can take, both by digest. Parts: request-path, ordinary-image,
 * thousand-services, warm.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { report, type BenchRow } from "../report.ts";
import { ordinaryImage } from "./ordinary-image.ts";
import { asleep, connect, createService, routerFor, untilReady, withPlane, type Plane } from "./plane.ts";
import { requestPath } from "./request-path.ts";
import { thousandServices } from "./thousand-services.ts";

const { values, positionals } = parseArgs({
  options: { image: { type: "string" }, function: { type: "string" } },
  allowPositionals: true,
});
const { image, function: functionImage } = values;
if (image === undefined) throw new Error("--image is to name the image of bench/cluster/hello, by digest");

const parts: Readonly<Record<string, (plane: Plane) => Promise<readonly BenchRow[]>>> = {
  "request-path": requestPath,
  warm: warmPods,
  "ordinary-image": ordinaryImage,
  "thousand-services": thousandServices,
};
const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
const unknown = wanted.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) throw new Error(`no part ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}`);

const client = await connect();
const rows: BenchRow[] = [];
try {
  for (const name of wanted) {
    const part = parts[name];
    if (part) rows.push(...(await withPlane(client, image, part)));
  }
} finally {
  if (rows.length > 0)
    report(wanted.length === Object.keys(parts).length ? "cluster" : `cluster-${wanted.join("-")}`, rows);
  await client.close();
}

interface Percentiles {
  readonly p50: number;
  readonly p95: number;
}

/** By cold-start.ts, within the setting that the others need too. */
async function warmPods(plane: Plane): Promise<readonly BenchRow[]> {
  if (functionImage === undefined) {
    console.error("warm pods are left out: --function names no image");
    return [];
  }
  await createService({ ...plane, image: functionImage }, { name: "probe", annotations: asleep });
  const [host = ""] = (await untilReady(plane, 1, 60_000)).values();
  const router = `http://${await routerFor(plane.client, host)}`;
  const script = join(import.meta.dirname, "cold-start.ts");
  const words = [script, "--router", router, "--image", functionImage];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const { alone, burst } = JSON.parse(stdout) as { readonly alone: Percentiles; readonly burst: Percentiles };
  return [
    {
      what: "cold start, source function, warm pod: p50, p95",
      measured: `${alone.p50} ms, ${alone.p95} ms`,
      target: "≤ 25 ms, ≤ 50 ms",
      met: alone.p50 <= 25 && alone.p95 <= 50,
    },
    {
      what: "10 simultaneous first calls: p95",
      measured: `${burst.p95} ms`,
      target: "≤ 150 ms",
      met: burst.p95 <= 150,
    },
  ];
}
