import { chmodSync, existsSync, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConfigMap, Container, Pod, PodSpec } from "../../src/api/core/types.gen.ts";
import { findSandboxMeans } from "../../src/node/providers/process/sandbox.ts";
import { makePod, openPodBench, type PodBench } from "./process-pods.ts";

const configMaps = new Map<string, ConfigMap>();
let bench: PodBench;
beforeEach(() => {
  configMaps.clear();
  bench = openPodBench({
    env: {
      configMap: (namespace, name) => configMaps.get(`${namespace}/${name}`),
      secret: (_, name) =>
        name === "keys"
          ? { metadata: { name }, data: { "id.key": Buffer.from("s3cret").toString("base64") } }
          : undefined,
    },
  });
});
afterEach(() => bench.close());

function shellPod(
  name: string,
  script: string,
  volumes: PodSpec["volumes"],
  mounts: Container["volumeMounts"],
  change: Partial<PodSpec> = {},
): Pod {
  return makePod(name, "shell", {
    volumes: volumes ?? [],
    containers: [{ name: "main", image: "shell", command: ["/bin/sh", "-c", script], volumeMounts: mounts ?? [] }],
    restartPolicy: "Never",
    ...change,
  });
}

async function output(pod: Pod): Promise<string> {
  bench.provider.setPod(pod);
  const uid = pod.metadata.uid ?? "";
  await bench.until(`${uid} ended`, () => ["Succeeded", "Failed"].includes(bench.status(uid)?.phase ?? ""));
  return bench.provider.runner(uid)?.container("main")?.logFile?.tail(100) ?? "";
}

async function run(uid: string, command: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  let text = "";
  stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const running = bench.provider.runner(uid)?.container("main")?.running;
  await running?.exec(command, { stdout, stderr: stdout, tty: false, signal: AbortSignal.timeout(5_000) });
  return text;
}

const sandbox = findSandboxMeans() !== undefined;

test.runIf(sandbox)("volumes appear where the pod wants them, and nowhere on this machine", async () => {
  configMaps.set("default/settings", { metadata: { name: "settings" }, data: { "a.txt": "alpha", "b.txt": "beta" } });
  const text = await output(
    shellPod(
      "mounts",
      [
        "cat /ebb-test-config/a.txt; echo",
        "cat /etc/ebb-test-keys/deep/id",
        "echo; stat -L -c %a /etc/ebb-test-keys/deep/id",
        "cat /ebb-test-info/labels; echo; cat /ebb-test-info/name; echo",
        "cat /var/run/secrets/ebb-test/token; echo",
        "echo written > /ebb-test-scratch/file; cat /ebb-test-scratch/file",
        "touch /ebb-test-config/x 2>/dev/null || echo read-only",
        "cat /ebb-test-one; echo",
        "echo leak > /etc/ebb-test-leak; cat /etc/ebb-test-leak",
      ].join("\n"),
      [
        { name: "config", configMap: { name: "settings" } },
        {
          name: "keys",
          secret: { secretName: "keys", defaultMode: 0o400, items: [{ key: "id.key", path: "deep/id" }] },
        },
        {
          name: "info",
          downwardAPI: {
            items: [
              { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
              { path: "name", fieldRef: { fieldPath: "metadata.name" } },
            ],
          },
        },
        { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token", audience: "vault" } }] } },
        { name: "scratch", emptyDir: {} },
      ],
      [
        { name: "config", mountPath: "/ebb-test-config" },
        { name: "config", mountPath: "/ebb-test-one", subPath: "b.txt" },
        { name: "keys", mountPath: "/etc/ebb-test-keys" },
        { name: "info", mountPath: "/ebb-test-info" },
        { name: "token", mountPath: "/var/run/secrets/ebb-test" },
        { name: "scratch", mountPath: "/ebb-test-scratch" },
      ],
      { serviceAccountName: "robot" },
    ),
  );
  expect(text.split("\n")).toEqual([
    "alpha",
    "s3cret",
    "400",
    "",
    "mounts",
    "token of robot for mounts vault",
    "written",
    "read-only",
    "beta",
    "leak",
  ]);
  for (const path of [
    "/ebb-test-config",
    "/etc/ebb-test-keys",
    "/etc/ebb-test-leak",
    "/ebb-test-scratch",
    "/run/secrets/ebb-test",
  ]) {
    expect(existsSync(path)).toBe(false);
  }
});

test.runIf(sandbox)("a changed ConfigMap is shown to the running program, all at once", async () => {
  configMaps.set("default/settings", { metadata: { name: "settings" }, data: { one: "1", gone: "x" } });
  const pod = shellPod(
    "watcher",
    "sleep 100",
    [{ name: "config", configMap: { name: "settings" } }],
    [{ name: "config", mountPath: "/ebb-test-config" }],
  );
  bench.provider.setPod(pod);
  await bench.until("running", () => bench.status("uid-watcher")?.containerStatuses?.[0]?.state?.running);
  await expect.poll(() => run("uid-watcher", ["sh", "-c", "cd /ebb-test-config; grep . *"])).toBe("gone:x\none:1\n");
  configMaps.set("default/settings", { metadata: { name: "settings" }, data: { one: "2", two: "22" } });
  await bench.provider.refreshVolumes();
  expect(await run("uid-watcher", ["sh", "-c", "cd /ebb-test-config; grep . *"])).toBe("one:2\ntwo:22\n");
});

test("a volume that cannot be made yet keeps the pod waiting and says what is missing", async () => {
  const pod = shellPod(
    "early",
    "cat /ebb-test-config/key",
    [{ name: "config", configMap: { name: "late" } }],
    [{ name: "config", mountPath: "/ebb-test-config" }],
  );
  bench.provider.setPod(pod);
  const waiting = await bench.until("waiting", () => {
    const seen = bench.status("uid-early")?.containerStatuses?.[0]?.state?.waiting;
    return seen?.message !== undefined && seen;
  });
  expect(waiting).toEqual({
    reason: "CreateContainerConfigError",
    message: 'MountVolume.SetUp failed for volume "config" : configmap "late" not found',
  });
  configMaps.set("default/late", { metadata: { name: "late" }, data: { key: "here now" } });
  await bench.until("ended", () => bench.status("uid-early")?.phase === "Succeeded");
});

test("the token of the default account costs a function neither its warm start nor a mount", async () => {
  bench.pool.start();
  await bench.until("warm host", () => bench.pool.waiting > 0);
  const pod = makePod("fn", "fetch-function");
  const [container] = pod.spec.containers;
  const mount = { name: "kube-api-access-abcde", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };
  const waiting = bench.pool.waiting;
  bench.provider.setPod({
    ...pod,
    spec: {
      ...pod.spec,
      serviceAccountName: "default",
      volumes: [{ name: mount.name, projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }],
      containers: [{ ...container!, volumeMounts: [mount] }],
    },
  });
  await bench.until("taken", () => bench.pool.waiting === waiting - 1);
  await bench.until("ready", () => bench.status("uid-fn")?.containerStatuses?.[0]?.ready);
});

test.runIf(process.getuid?.() === 0)("runAsUser makes the program that user, with a home it owns", async () => {
  const closed = shellPod("closed", "id -u", [], [], { securityContext: { runAsUser: 65534 } });
  bench.provider.setPod(closed);
  const waiting = await bench.until(
    "waiting",
    () => bench.status("uid-closed")?.containerStatuses?.[0]?.state?.waiting?.message,
  );
  expect(waiting).toContain(`runAsUser 65534 cannot reach ${bench.dir}`);
  chmodSync(bench.dir, 0o755);
  const pod = shellPod("user", "id -u; touch $HOME/x && echo mine", [], [], { securityContext: { runAsUser: 65534 } });
  expect(await output(pod)).toBe("65534\nmine");
});

test("what the provider cannot give is said, with how to get it", async () => {
  const pod = shellPod("mighty", "true", [], []);
  const [container] = pod.spec.containers;
  bench.provider.setPod({
    ...pod,
    spec: { ...pod.spec, containers: [{ ...container!, securityContext: { privileged: true } }] },
  });
  const waiting = await bench.until(
    "waiting",
    () => bench.status("uid-mighty")?.containerStatuses?.[0]?.state?.waiting?.message,
  );
  expect(waiting).toMatch(/^a privileged container cannot be had from the process provider: it needs an OCI runtime/);
});

test.runIf(existsSync("/sys/fs/cgroup") && process.getuid?.() === 0)(
  "a program over its memory limit is OOMKilled",
  async () => {
    const pod = makePod("greedy", "shell", {
      restartPolicy: "Never",
      containers: [
        {
          name: "main",
          image: "shell",
          command: ["node", "-e", "const all=[]; for(;;) all.push(Buffer.alloc(1e7, 1))"],
          resources: { limits: { memory: "128Mi" } },
        },
      ],
    });
    await output(pod);
    expect(bench.status("uid-greedy")?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: "OOMKilled",
    });
  },
);

test.runIf(existsSync("/sys/fs/cgroup/cpu") && process.getuid?.() === 0)(
  "a claimed host gets its limits too",
  async () => {
    bench.pool.start();
    await bench.until("warm host", () => bench.pool.waiting > 0);
    const pod = makePod("fn", "fetch-function");
    const [container] = pod.spec.containers;
    bench.provider.setPod({
      ...pod,
      spec: { ...pod.spec, containers: [{ ...container!, resources: { limits: { cpu: "250m", memory: "256Mi" } } }] },
    });
    await bench.until("ready", () => bench.status("uid-fn")?.containerStatuses?.[0]?.ready);
    const running = bench.provider.runner("uid-fn")?.container("main")?.running;
    const pid = Number(await (await fetch(`http://127.0.0.1:${running?.address?.port}/pid`)).text());
    const groups = (): string => readFileSync(`/proc/${pid}/cgroup`, "utf8");
    await expect.poll(groups).toMatch(new RegExp(`memory:.*/${running?.id}\\n`));
    expect(
      readFileSync(`/sys/fs/cgroup/memory/ebb-test-${process.pid}/${running?.id}/memory.limit_in_bytes`, "utf8").trim(),
    ).toBe(String(256 * 2 ** 20));
    expect(
      readFileSync(`/sys/fs/cgroup/cpu/ebb-test-${process.pid}/${running?.id}/cpu.cfs_quota_us`, "utf8").trim(),
    ).toBe("25000");
  },
);
