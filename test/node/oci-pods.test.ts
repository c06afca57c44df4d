/** Pods of foreign images under a real OCI runtime; their files are this machine's own, read-only below an overlay. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container, Pod } from "../../src/api/core/types.gen.ts";
import { findRuntime } from "../../src/node/providers/oci/find-runtime.ts";
import { directoryImages } from "./directory-images.ts";
import { makePod, openPodBench, quiet, type PodBench } from "./process-pods.ts";

const search = await findRuntime(mkdtempSync(join(tmpdir(), "ebb-oci-")), { log: quiet });
// oxlint-disable-next-line no-console -- a skipped test must be seen
if (search.kind === "none") console.warn(`SKIPPED: pods under an OCI runtime: ${search.message}`);

const server = "import http.server as s; s.HTTPServer(('', 80), s.SimpleHTTPRequestHandler).serve_forever()";
const foreign = directoryImages({
  "docker.io/library/site:1": { root: "/", config: { Entrypoint: ["/usr/bin/python3", "-c"], Cmd: [server] } },
  "docker.io/library/shell:1": { root: "/", config: { Entrypoint: ["/bin/sh", "-c"], Cmd: ["true"] } },
  "docker.io/library/nobody:1": { root: "/", config: { Entrypoint: ["/bin/sh", "-c"], User: "nobody:www-data" } },
});

const shell = (name: string, script: string, more: Partial<Container> = {}, spec: Partial<Pod["spec"]> = {}): Pod =>
  makePod(name, "", {
    restartPolicy: "Never",
    containers: [{ name: "main", image: "docker.io/library/shell:1", args: [script], ...more }],
    ...spec,
  });

describe.skipIf(search.kind === "none")("pods under an OCI runtime", () => {
  let bench: PodBench;
  beforeAll(() => {
    bench = openPodBench({ foreign });
  });
  afterAll(() => bench.close());

  async function lastWords(
    pod: Pod,
  ): Promise<{ readonly exitCode: number; readonly message: string; readonly reason: string }> {
    bench.provider.setPod(pod);
    const uid = pod.metadata.uid ?? "";
    const ended = await bench.until(
      `${pod.metadata.name} to end`,
      () => bench.status(uid)?.containerStatuses?.[0]?.state?.terminated,
    );
    await bench.provider.deletePod(uid, 0);
    return { exitCode: ended.exitCode, message: ended.message ?? "", reason: ended.reason ?? "" };
  }

  test("two servers of one image listen on the same fixed port, each at an address of its own", async () => {
    const pods = ["site-a", "site-b"].map((name) => {
      const pod = makePod(name, "docker.io/library/site:1", { terminationGracePeriodSeconds: 0 });
      const [main] = pod.spec.containers;
      const ports = [{ containerPort: 80 }];
      return {
        ...pod,
        spec: {
          ...pod.spec,
          containers: [{ ...main, name: "main", ports, readinessProbe: { tcpSocket: { port: 80 } } }],
        },
      };
    });
    for (const pod of pods) bench.provider.setPod(pod);
    const ips = new Set<string>();
    for (const { metadata } of pods) {
      const ready = await bench.until(`${metadata.name} to be ready`, () => {
        const status = bench.status(metadata.uid ?? "");
        return status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") && status;
      });
      ips.add(ready.podIP ?? "");
      expect((await fetch(`http://${ready.podIP}:80/`)).status).toBe(200);
    }
    expect(ips.size).toBe(2);
    expect([...ips].every((ip) => ip.startsWith("10."))).toBe(true);
    await Promise.all(pods.map((pod) => bench.provider.deletePod(pod.metadata.uid ?? "", 0)));
    await expect(fetch(`http://${[...ips][0]}:80/`)).rejects.toThrow();
  });

  test("a container sees its own processes, name and files, and leaves none of them on the machine", async () => {
    const script =
      'echo made > /etc/mine && cat /etc/mine /etc/hostname && readlink /proc/self && ls /proc | grep -c "^[0-9]"; exit 3';
    const ended = await lastWords(shell("own", script));
    expect(ended).toMatchObject({ exitCode: 3, reason: "Error" });
    expect(ended.message).toMatch(/^made\nown\n\d{1,2}\n[1-4]$/);
    const { existsSync } = await import("node:fs");
    expect(existsSync("/etc/mine")).toBe(false);
  });

  test("the image's user is looked up in the image, and its capabilities are gone", async () => {
    const pod = shell("user", "id -un; id -gn; grep CapEff /proc/self/status; exit 1", {
      image: "docker.io/library/nobody:1",
    });
    expect((await lastWords(pod)).message).toMatch(/^nobody\nwww-data\nCapEff:\s+0000000000000000$/);
  });

  test("root in a container cannot mount, load modules or change the clock", async () => {
    const script = "mount -t tmpfs x /mnt 2>&1; unshare -m true 2>&1; date -s 2001-01-01 2>&1; exit 1";
    const { message } = await lastWords(shell("jailed", script));
    expect(message.match(/not permitted|permission denied/gi)?.length).toBe(3);
  });

  test("a read-only root refuses writes but not to a volume", async () => {
    const volumes = [{ name: "v", emptyDir: {} }];
    const pod = shell(
      "readonly",
      "touch /etc/x 2>&1; touch /data/x && echo wrote; exit 1",
      { securityContext: { readOnlyRootFilesystem: true }, volumeMounts: [{ name: "v", mountPath: "/data" }] },
      { volumes },
    );
    expect((await lastWords(pod)).message).toMatch(/Read-only file system\nwrote$/);
  });

  test("a container that needs more memory than its limit is reported as OOMKilled", async () => {
    const eater = makePod("eater", "docker.io/library/site:1", {
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          image: "docker.io/library/site:1",
          args: ["x = bytearray(400_000_000); print(len(x))"],
          resources: { limits: { memory: "64Mi" } },
        },
      ],
    });
    expect(await lastWords(eater)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
  });

  test("a command that is not in the image is said plainly, with what the runtime found", async () => {
    const pod = shell("nothing", "", { command: ["/no/such/program"] });
    bench.provider.setPod(pod);
    const waiting = await bench.until(
      "the failure",
      () => bench.status("uid-nothing")?.containerStatuses?.[0]?.state?.waiting?.message,
    );
    expect(waiting).toContain("/no/such/program");
    await bench.provider.deletePod("uid-nothing", 0);
  });

  test("commands run beside the main process, in its files and with their own exit code", async () => {
    const pod = shell("long", "echo hidden > /etc/secret; echo up; exec sleep 60");
    bench.provider.setPod(pod);
    const running = await bench.until(
      "the container to run",
      () => bench.provider.runner("uid-long")?.container("main")?.running,
    );
    const stdout = new PassThrough();
    const said = text(stdout);
    await bench.until("its file", () =>
      bench.provider.runner("uid-long")?.container("main")?.logFile?.tail(1).includes("up"),
    );
    const code = await running.exec(["/bin/sh", "-c", "cat /etc/secret; exit 7"], {
      stdout,
      tty: false,
      signal: AbortSignal.timeout(10_000),
    });
    stdout.end();
    expect([await said, code]).toEqual(["hidden\n", 7]);
    expect(running.usage()?.memoryBytes).toBeGreaterThan(0);
    await bench.provider.deletePod("uid-long", 0);
  });

  test("a first process without a handler for TERM ends by it, one with a handler handles it", async () => {
    const endAfterStart = async (name: string, script: string): Promise<number> => {
      bench.provider.setPod(shell(name, script, {}, { terminationGracePeriodSeconds: 60 }));
      const container = () => bench.provider.runner(`uid-${name}`)?.container("main");
      await bench.until("it to be up", () => container()?.logFile?.tail(1).includes("up"));
      const exited = container()?.running?.exited;
      await bench.provider.deletePod(`uid-${name}`, 60_000);
      return (await exited)?.exitCode ?? -1;
    };
    expect(await endAfterStart("deaf", "echo up; exec sleep 60")).toBe(137);
    expect(await endAfterStart("polite", "trap 'exit 5' TERM; echo up; while true; do sleep 0.05; done")).toBe(5);
  });

  test("containers of one pod reach each other on localhost", async () => {
    const ask =
      "import time, urllib.request as u\nfor _ in range(200):\n try: print(u.urlopen('http://127.0.0.1:80/').status); break\n except OSError: time.sleep(0.02)";
    const pod = makePod("pair", "", {
      restartPolicy: "Never",
      containers: [
        { name: "ask", image: "docker.io/library/site:1", args: [`${ask}\nraise SystemExit(4)`] },
        { name: "site", image: "docker.io/library/site:1" },
      ],
    });
    expect(await lastWords(pod)).toMatchObject({ exitCode: 4, message: expect.stringContaining("200") });
  });
});
