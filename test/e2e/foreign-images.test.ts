/** Images that were not built here, from a real registry, under a real OCI runtime: routed, asleep, awake, killed. */
import { existsSync, mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { buildImage } from "../../src/images/build-image.ts";
import { openImageStore } from "../../src/images/store.ts";
import { findRuntime } from "../../src/node/providers/oci/find-runtime.ts";
import { quiet } from "../node/process-pods.ts";
import { startDistribution } from "../registry/registries.ts";
import { eventually, hasProgram, run, startEbb, type EbbProcess } from "./ebb-process.ts";

vi.setConfig({ testTimeout: 90_000 });

const missing = await whatIsMissing();
// oxlint-disable-next-line no-console -- a skipped test must be seen
if (missing !== undefined) console.warn(`SKIPPED: foreign images: ${missing}`);

async function whatIsMissing(): Promise<string | undefined> {
  const search = await findRuntime(mkdtempSync(join(tmpdir(), "ebb-oci-")), { log: quiet });
  if (search.kind === "none") return search.message;
  if (!existsSync("/bin/busybox")) return "no /bin/busybox (package busybox-static)";
  for (const program of ["docker-registry", "skopeo", "kubectl"])
    if (!(await hasProgram(program))) return `no ${program}`;
  return undefined;
}

/** A web server in 2 MB: a shell and busybox's httpd on the fixed port 8080, which says its process id and name. */
async function pushSite(host: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "ebb-site-"));
  const store = openImageStore(dir);
  const cgi = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\necho name $(hostname) user $(id -u)\n";
  const files = [
    { path: "bin/busybox", content: await readFile("/bin/busybox"), mode: 0o755 },
    ...["sh", "httpd", "id", "hostname"].map((name) => ({ path: `bin/${name}`, content: "", link: "busybox" })),
    { path: "etc/passwd", content: "web:x:4242:4242::/www:/bin/sh\n" },
    { path: "www/cgi-bin/who", content: cgi, mode: 0o755 },
  ];
  const config = { Entrypoint: ["/bin/httpd"], Cmd: ["-f", "-p", "8080", "-h", "/www"], User: "web" };
  await buildImage(store, "example.com/site:1", { layers: [{ kind: "files", files }], config });
  store.close();
  const source = `oci:${dir}:example.com/site:1`;
  const copied = await run("skopeo", ["copy", "--dest-tls-verify=false", source, `docker://${host}/team/site:1`], {
    env: process.env,
  });
  expect(copied, copied.stderr).toMatchObject({ code: 0 });
  await rm(dir, { recursive: true, force: true });
}

const manifest = (image: string): string => `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: site}
spec:
  template:
    metadata: {annotations: {autoscaling.knative.dev/window: 6s}}
    spec: {containers: [{image: "${image}"}]}
`;

const who = (ebb: EbbProcess) => ebb.call("site.default.localhost", { path: "/cgi-bin/who" });

const asleep = (ebb: EbbProcess): Promise<true> =>
  eventually(
    "the service sleeps",
    async () => ((await ebb.kubectl(["get", "pods", "-o", "name"])).stdout === "" ? true : undefined),
    { deadlineMs: 40_000, everyMs: 250 },
  );

test.skipIf(missing !== undefined)(
  "an image from a registry serves on its fixed port, sleeps, wakes, and leaves nothing when ebb is killed",
  async () => {
    const registry = await startDistribution();
    let ebb = await startEbb();
    const { dir } = ebb;
    try {
      await pushSite(registry.host);
      const applied = await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest(`${registry.host}/team/site:1`) });
      expect(applied, applied.stderr).toMatchObject({ code: 0 });
      const ready = await ebb.kubectl(["wait", "ksvc/site", "--for=condition=Ready", "--timeout=30s"]);
      expect(ready, `${ready.stderr}${(await ebb.kubectl(["get", "ksvc,pods", "-o", "yaml"])).stdout}`).toMatchObject({
        code: 0,
      });
      expect((await who(ebb)).body).toMatch(/^name site-00001-\S+ user 4242\n$/);
      const pod = JSON.parse((await ebb.kubectl(["get", "pods", "-o", "json"])).stdout).items[0];
      expect(pod.status.podIP).toMatch(/^10\./);
      expect(pod.status.containerStatuses[0].imageID).toMatch(/sha256:/);

      await registry.close();
      await asleep(ebb);
      expect(await who(ebb)).toMatchObject({ status: 200 });

      const before = (await who(ebb)).body;
      await ebb.kill9();
      ebb = await startEbb({ dir });
      const again = ebb;
      const answer = await eventually("it answers again", async () => {
        const got = await who(again);
        return got.status === 200 ? got : undefined;
      });
      expect(answer.body).not.toBe(before);
      const states = await run(
        "sh",
        ["-c", `cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o '[h]ttpd -f -p 8080 -h /www' | wc -l`],
        { env: process.env },
      );
      expect(states.stdout.trim()).toBe("1");
    } finally {
      await ebb.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
);

test.skipIf(missing !== undefined)(
  "an image that its registry does not have is said on the Service, with what to do",
  async () => {
    const registry = await startDistribution();
    const ebb = await startEbb();
    try {
      await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest(`${registry.host}/no/such:1`) });
      const message = await eventually("the reason", async () => {
        const { stdout } = await ebb.kubectl([
          "get",
          "ksvc",
          "site",
          "-o",
          "jsonpath={.status.conditions[?(@.type=='Ready')].message}",
        ]);
        return stdout.includes("no/such") ? stdout : undefined;
      });
      expect(message).toContain("Unable to fetch image");
    } finally {
      await ebb.stop();
      await registry.close();
    }
  },
);
