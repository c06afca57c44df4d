/** An image that was not built by ebb, a static Go server of 40 MB: its second start, from asleep to an answer. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PodKind } from "../src/api/core/kinds.ts";
import { buildImage } from "../src/images/build-image.ts";
import { openImageStore } from "../src/images/store.ts";
import { createHttpClient } from "../src/client/http-client.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { eventually, startEbb } from "../test/e2e/ebb-process.ts";
import { percentile, report } from "./report.ts";

const source = `package main
import ("fmt"; "net/http"; "os")
func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hi") })
	if err := http.ListenAndServe(":8080", nil); err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
}
`;
const imageBytes = 40 * 2 ** 20;
const manifest = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: site}
spec:
  template:
    metadata: {annotations: {autoscaling.knative.dev/window: 6s}}
    spec: {containers: [{image: "example.com/site:1"}]}
`;
const rounds = 10;

/** Bytes that no compressor or file system makes small, the same each time. */
function padding(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 32) createHash("sha256").update(String(at)).digest().copy(bytes, at);
  return bytes;
}

async function storeImage(dir: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "ebb-bench-go-"));
  await writeFile(join(work, "main.go"), source);
  await writeFile(join(work, "go.mod"), "module site\n");
  execFileSync("go", ["build", "-o", "server", "."], { cwd: work, env: { ...process.env, CGO_ENABLED: "0" } });
  const server = await readFile(join(work, "server"));
  const store = openImageStore(join(dir, "images"));
  const files = [
    { path: "server", content: server, mode: 0o755 },
    { path: "pad", content: padding(imageBytes - server.byteLength) },
  ];
  const config = { Entrypoint: ["/server"], User: "65532" };
  await buildImage(store, "example.com/site:1", { layers: [{ kind: "files", files }], config });
  store.close();
  await rm(work, { recursive: true });
}

const ebb = await startEbb();
const client = createHttpClient(await loadKubeconfig(ebb.kubeconfig, undefined, {}), { userAgent: "ebb-bench" });
try {
  await storeImage(ebb.dir);
  const applied = await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest });
  if (applied.code !== 0) throw new Error(applied.stderr);
  const call = () => ebb.call("site.default.localhost");
  await eventually("it serves", async () => ((await call()).status === 200 ? true : undefined), { deadlineMs: 60_000 });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const asleep = async () => ((await client.list(PodKind, {})).items.length === 0 ? true : undefined);
    await eventually("it sleeps", asleep, { deadlineMs: 60_000, everyMs: 250 });
    await sleep(500);
    const answer = await call();
    if (answer.status !== 200) throw new Error(`it answered ${answer.status}: ${answer.body}`);
    times.push(answer.ms);
  }
  const p50 = percentile(times, 50);
  const measured = `${p50.toFixed(0)} ms (of ${rounds}; slowest ${Math.max(...times).toFixed(0)})`;
  report("foreign-image", [
    { what: "static Go server in an image of 40 MB, second start, p50", measured, target: "≤ 120 ms", met: p50 <= 120 },
  ]);
} finally {
  await client.close();
  await ebb.stop();
}
