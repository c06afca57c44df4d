import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Pod, PodStatus } from "../../src/api/core/types.gen.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { makePod, openPodBench, type PodBench } from "./process-pods.ts";

let bench: PodBench;
beforeEach(() => void (bench = openPodBench()));
afterEach(() => bench.close());

const isReady = (status: PodStatus | undefined): boolean =>
  status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false;
const main = (status: PodStatus | undefined) => status?.containerStatuses?.[0];

async function runToReady(pod: Pod): Promise<PodStatus> {
  bench.provider.setPod(pod);
  const uid = pod.metadata.uid ?? "";
  return await bench.until(`${pod.metadata.name} ready`, () => isReady(bench.status(uid)) && bench.status(uid));
}

const revisionLabels = { "serving.knative.dev/revision": "hello-1", "serving.knative.dev/revisionUID": "rev-uid" };

async function get(port: number | undefined, path: string): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

test("a program on PORT becomes Running and Ready, and its address is told", async () => {
  const status = await runToReady(makePod("web", "listens-on-port", { labels: revisionLabels }));
  expect(status.phase).toBe("Running");
  expect(main(status)).toMatchObject({ ready: true, started: true, restartCount: 0, image: "listens-on-port" });
  expect(main(status)?.containerID).toMatch(/^ebb-process:\/\//);
  const ready = await bench.until("ready event", () => bench.instances.find((e) => e.type === "ready"));
  expect(ready).toMatchObject({ revision: "default/hello-1", protocol: "http1" });
  expect(await get(ready.address.port, "/moon")).toBe("hello from /moon");
});

test.runIf(process.platform === "linux")("a pod is reachable at its own address and declared port", async () => {
  const first = await runToReady(makePod("one", "listens-on-port"));
  const second = await runToReady(makePod("two", "listens-on-port"));
  expect(first.podIP).not.toBe(second.podIP);
  for (const { podIP } of [first, second]) {
    const look = () =>
      fetch(`http://${podIP}:8080/x`).then(
        (response) => response.text(),
        () => "refused",
      );
    await expect.poll(look).toBe("hello from /x");
  }
  await bench.provider.deletePod("uid-one", 1_000);
  await expect(fetch(`http://${first.podIP}:8080/x`)).rejects.toThrow();
});

test.runIf(process.platform === "linux")("a pod that declares no port has its image's: PORT, and 8080", async () => {
  const undeclared = { name: "main", image: "exposes-8080" };
  const first = await runToReady(makePod("one", "exposes-8080", { containers: [undeclared] }));
  const second = await runToReady(makePod("two", "exposes-8080", { containers: [undeclared] }));
  for (const { podIP } of [first, second]) {
    const look = () =>
      fetch(`http://${podIP}:8080/x`).then(
        (response) => response.text(),
        () => "refused",
      );
    await expect.poll(look, { timeout: 5_000 }).toBe("hello from /x");
  }
});

test("no PORT for a pod that is to end, nor for an image that exposes none", async () => {
  const print = { name: "main", command: ["/bin/sh", "-c", 'echo "PORT is [$PORT]" >&2; exit 1'] };
  const job = makePod("job", "exposes-8080", {
    restartPolicy: "Never",
    containers: [{ ...print, image: "exposes-8080" }],
  });
  const plain = makePod("plain", "shell", { containers: [{ ...print, image: "shell" }] });
  for (const pod of [job, plain]) {
    bench.provider.setPod(pod);
    const ended = await bench.until(`${pod.metadata.name} to end`, () => {
      const container = main(bench.status(pod.metadata.uid ?? ""));
      return container?.state?.terminated ?? container?.lastState?.terminated;
    });
    expect(ended.message).toBe("PORT is []");
  }
});

test("a container that crashes for a day leaves its last two logs and nothing else", { timeout: 60_000 }, async () => {
  await bench.close();
  const clock = new ManualClock();
  bench = openPodBench({ clock });
  const command = ["/bin/sh", "-c", "echo once more; exit 1"];
  bench.provider.setPod(makePod("crash", "shell", { containers: [{ name: "main", image: "shell", command }] }));
  const restarts = (): number => main(bench.status("uid-crash"))?.restartCount ?? 0;
  const waiting = (): boolean => main(bench.status("uid-crash"))?.state?.waiting?.reason === "CrashLoopBackOff";
  // Back-off soon takes five minutes: some 290 restarts a day, of which these stand for all.
  await bench.until("the first back-off", waiting);
  while (restarts() < 25) {
    const before = restarts();
    await clock.advance(5 * 60_000);
    await bench.until(`crash ${before + 1}`, () => restarts() > before && waiting());
  }
  await bench.until("its directory to go", () => readdirSync(join(bench.dir, "run")).length === 0);
  const files = readdirSync(bench.dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const logs = files.filter(({ name }) => name.endsWith(".log"));
  expect(logs.map(({ name }) => name).sort()).toEqual([`${restarts() - 2}.log`, `${restarts() - 1}.log`]);
});

test("a program gets the pod's environment, a home and temp of its own, and none of ours", async () => {
  const pod = makePod("env", "shell", {
    containers: [
      {
        name: "main",
        image: "shell",
        command: ["/bin/sh", "-c", 'env > "$TMPDIR/../../seen-$NAME"; sleep 100'],
        env: [
          { name: "BASE", value: "b" },
          { name: "GREETING", value: "$(BASE)-$(NAME)" },
          { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ],
      },
    ],
  });
  process.env["EBB_SECRET_OF_THE_PLATFORM"] = "x";
  bench.provider.setPod(pod);
  const file = join(bench.dir, "run", "seen-env");
  const text = await bench.until(
    "env file",
    () => existsSync(file) && readFileSync(file, "utf8").includes("TMPDIR") && readFileSync(file, "utf8"),
  );
  delete process.env["EBB_SECRET_OF_THE_PLATFORM"];
  const names = text
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0]);
  expect(names.filter((n) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(n ?? "")).sort()).toEqual([
    "BASE",
    "GREETING",
    "HOME",
    "HOSTNAME",
    "LANG",
    "NAME",
    "PATH",
    "TMPDIR",
  ]);
  // $(NAME) stands before NAME: it stays literal.
  expect(text).toContain("GREETING=b-$(NAME)\n");
  expect(text).toContain("HOSTNAME=env\n");
});

test("a program that exits is restarted, and its status says the code and its last words", async () => {
  bench.provider.setPod(makePod("crash", "exits-with-3"));
  const status = await bench.until("crash loop", () => {
    const seen = bench.status("uid-crash");
    return main(seen)?.state?.waiting?.reason === "CrashLoopBackOff" && seen;
  });
  // The first restart is immediate, the second waits 10 s.
  expect(main(status)).toMatchObject({
    restartCount: 2,
    state: { waiting: { message: "back-off 10s restarting failed container=main" } },
    lastState: { terminated: { exitCode: 3, reason: "Error", message: "cannot find the moon" } },
  });
  expect(status.phase).toBe("Running");
});

test("a pod that must not restart ends Failed", async () => {
  bench.provider.setPod(makePod("once", "exits-with-3", { restartPolicy: "Never" }));
  const status = await bench.until(
    "failed",
    () => bench.status("uid-once")?.phase === "Failed" && bench.status("uid-once"),
  );
  expect(main(status)?.state?.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
});

test("a program that listens elsewhere is told so in its status", async () => {
  bench.provider.setPod(makePod("deaf", "ignores-port"));
  const ended = await bench.until("terminated", () => main(bench.status("uid-deaf"))?.lastState?.terminated);
  expect(ended.reason).toBe("PortIgnored");
  expect(ended.message).toMatch(/^the program listens on port \d+ and ignores PORT \(\d+\)/);
});

test("an image that is not here leaves the pod waiting with what to do", async () => {
  bench.provider.setPod(makePod("foreign", "docker.io/library/nginx"));
  const waiting = await bench.until("waiting", () => {
    const seen = main(bench.status("uid-foreign"))?.state?.waiting;
    return seen?.message !== undefined && seen;
  });
  expect(waiting.reason).toBe("ErrImagePull");
  expect(waiting.message).toContain("is not in the local store");
  expect(waiting.message).toContain('fetch it with "ebb image pull"');
});

test("ending a pod drains it, and ends it and its children even when they ignore TERM", async () => {
  await runToReady(makePod("stubborn", "ignores-sigterm", { labels: revisionLabels }));
  const ready = await bench.until("ready event", () => bench.instances.find((e) => e.type === "ready"));
  const child = Number(await get(ready.address.port, "/"));
  await bench.provider.deletePod("uid-stubborn", 2_000);
  expect(bench.drained).toEqual([ready.id]);
  expect(bench.instances.map((e) => e.type)).toEqual(["ready", "draining", "gone"]);
  expect(bench.status("uid-stubborn")).toMatchObject({ phase: "Failed" });
  expect(main(bench.status("uid-stubborn"))?.state?.terminated).toMatchObject({ exitCode: 137, signal: 9 });
  await bench.until("child gone", () => !isAlive(child));
  expect(bench.provider.pods()).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}

test("a function is served by a host that waited for it, with the pod's environment only", async () => {
  bench.pool.start();
  await bench.until("warm host", () => bench.pool.waiting > 0);
  const pod = makePod("fn", "fetch-function", { labels: revisionLabels });
  const [container] = pod.spec.containers;
  await runToReady({
    ...pod,
    spec: { ...pod.spec, containers: [{ ...container!, env: [{ name: "COLOUR", value: "blue" }] }] },
  });
  const ready = await bench.until("ready event", () => bench.instances.find((e) => e.type === "ready"));
  expect(await get(ready.address.port, "/moon")).toBe("hello /moon");
  const seen = JSON.parse(await get(ready.address.port, "/env")) as { process: Record<string, string> };
  expect(Object.keys(seen.process).sort()).toEqual(["COLOUR", "HOME", "HOSTNAME", "LANG", "PATH", "PORT", "TMPDIR"]);
  expect(seen.process["PORT"]).toBe(String(ready.address.port));
});

test("a function that throws at import says so, with its stack, in the pod's status", async () => {
  bench.provider.setPod(makePod("broken", "throws-at-import"));
  const ended = await bench.until("terminated", () => main(bench.status("uid-broken"))?.lastState?.terminated);
  expect(ended).toMatchObject({ exitCode: 1, reason: "ImportFailed" });
  expect(ended.message).toMatch(/TypeError.*\n.*throws-at-import\.mjs:2/);
  expect(ended.message).not.toContain("node:internal");
});

test("an instance started ahead serves before its pod exists and is given to it", async () => {
  const pod = makePod("late", "fetch-function", { labels: revisionLabels });
  bench.provider.startAhead({
    revision: "default/hello-1",
    namespace: "default",
    template: { metadata: { name: "", labels: revisionLabels }, spec: pod.spec },
    count: 1,
  });
  const ready = await bench.until("ready event", () => bench.instances.find((e) => e.type === "ready"));
  const pid = await get(ready.address.port, "/pid");
  const status = await runToReady(pod);
  expect(main(status)?.containerID).toBe(`ebb-process://${ready.id}`);
  expect(await get(ready.address.port, "/pid")).toBe(pid);
  expect(bench.instances).toHaveLength(1);
});

test("a pod that comes while its instance is starting waits for it and starts none", async () => {
  const pod = makePod("race", "fetch-function", { labels: revisionLabels });
  const request = {
    revision: "default/hello-1",
    namespace: "default",
    template: { metadata: { name: "", labels: revisionLabels }, spec: pod.spec },
    count: 1,
  };
  expect(bench.provider.startAhead(request)).toBe(true);
  bench.provider.setPod(pod);
  // The pod has what is starting: nothing more starts, and nothing waits for a pod.
  expect(bench.provider.startAhead(request)).toBe(false);
  await bench.until("ready", () => isReady(bench.status("uid-race")));
  expect(bench.instances.filter((e) => e.type === "ready")).toHaveLength(1);
  expect(readdirSync(join(bench.dir, "run"))).toHaveLength(1);
});

test("no more instances start ahead of their pods than the node takes pods", async () => {
  const pod = makePod("crowd", "fetch-function", { labels: revisionLabels });
  const template = { metadata: { name: "", labels: revisionLabels }, spec: pod.spec };
  bench.provider.startAhead({ revision: "default/hello-1", namespace: "default", template, count: 1000 });
  await bench.until(
    "the instances the node has room for",
    () => bench.instances.filter((e) => e.type === "ready").length === 4 || undefined,
  );
  expect(readdirSync(join(bench.dir, "run"))).toHaveLength(4);
});

test("an instance killed by the system is replaced and the dead one reported gone", async () => {
  await runToReady(makePod("phoenix", "listens-on-port", { labels: revisionLabels }));
  const first = await bench.until("ready event", () => bench.instances.find((e) => e.type === "ready"));
  bench.provider.runner("uid-phoenix")?.container("main")?.running?.signal("SIGKILL");
  const second = await bench.until("second ready", () => bench.instances.filter((e) => e.type === "ready")[1]);
  expect(bench.instances.map((e) => `${e.type} ${e.id === first.id ? 1 : 2}`)).toEqual([
    "ready 1",
    "gone 1",
    "ready 2",
  ]);
  expect(await get(second.address.port, "/")).toBe("hello from /");
});

const shell = (name: string, script: string, change: object = {}) => ({
  name,
  image: "shell",
  command: ["/bin/sh", "-c", script],
  ...change,
});

test("init containers run in order before the others, a sidecar from its place on, and it ends last", async () => {
  const file = join(bench.dir, "order");
  bench.provider.setPod(
    makePod("ordered", "shell", {
      restartPolicy: "Never",
      initContainers: [
        shell("one", `echo one >> ${file}`),
        shell(
          "side",
          `trap 'echo side ends >> ${file}; exit 0' TERM; echo side >> ${file}; while :; do sleep 0.05; done`,
          {
            restartPolicy: "Always",
            startupProbe: { exec: { command: ["grep", "side", file] }, periodSeconds: 1 },
          },
        ),
        shell("two", `echo two >> ${file}`),
      ],
      containers: [shell("main", `echo main >> ${file}`)],
    }),
  );
  await bench.until("succeeded", () => bench.status("uid-ordered")?.phase === "Succeeded");
  await bench.until("sidecar over", () => bench.status("uid-ordered")?.initContainerStatuses?.[1]?.state?.terminated);
  expect(readFileSync(file, "utf8").trim().split("\n")).toEqual(["one", "side", "two", "main", "side ends"]);
});

test("a pod whose init container fails and must not restart is Failed, its containers never started", async () => {
  const file = join(bench.dir, "never");
  bench.provider.setPod(
    makePod("stuck", "shell", {
      restartPolicy: "Never",
      initContainers: [shell("one", "echo no luck; exit 9")],
      containers: [shell("main", `touch ${file}`)],
    }),
  );
  const status = await bench.until(
    "failed",
    () => bench.status("uid-stuck")?.phase === "Failed" && bench.status("uid-stuck"),
  );
  expect(status.initContainerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 9, message: "no luck" });
  expect(main(status)?.state).toEqual({ waiting: { reason: "PodInitializing" } });
  expect(existsSync(file)).toBe(false);
});

test("a failing liveness probe has the container restarted", async () => {
  const file = join(bench.dir, "alive");
  bench.provider.setPod(
    makePod("frozen", "shell", {
      containers: [
        shell("main", `[ -e ${file} ] || touch ${file}; sleep 100`, {
          livenessProbe: { exec: { command: ["sh", "-c", `rm ${file}`] }, periodSeconds: 1, failureThreshold: 1 },
        }),
      ],
    }),
  );
  await bench.until("restarted", () => (main(bench.status("uid-frozen"))?.restartCount ?? 0) >= 1);
  expect(main(bench.status("uid-frozen"))?.lastState?.terminated?.message).toMatch(/^liveness probe failed: rm: /);
  expect(bench.events.map((event) => event.reason)).toEqual(
    expect.arrayContaining(["Started", "Unhealthy", "Killing"]),
  );
});

test("hooks run after the start and before the end", async () => {
  const file = join(bench.dir, "hooks");
  await runToReady(
    makePod("hooked", "shell", {
      containers: [
        shell("main", `trap 'echo term >> ${file}; exit 0' TERM; while :; do sleep 0.05; done`, {
          lifecycle: {
            postStart: { exec: { command: ["sh", "-c", `echo start >> ${file}`] } },
            preStop: { exec: { command: ["sh", "-c", `sleep 0.2; echo stop >> ${file}`] } },
          },
        }),
      ],
    }),
  );
  await bench.until("post start", () => existsSync(file) && readFileSync(file, "utf8") === "start\n");
  await bench.provider.deletePod("uid-hooked", 3_000);
  expect(readFileSync(file, "utf8")).toBe("start\nstop\nterm\n");
  expect(bench.status("uid-hooked")?.phase).toBe("Succeeded");
});

test("a pod past its active deadline is Failed", async () => {
  bench.provider.setPod(
    makePod("slow", "shell", {
      activeDeadlineSeconds: 1,
      terminationGracePeriodSeconds: 1,
      containers: [shell("main", "sleep 100")],
    }),
  );
  const status = await bench.until(
    "failed",
    () => bench.status("uid-slow")?.phase === "Failed" && bench.status("uid-slow"),
  );
  expect(status).toMatchObject({ reason: "DeadlineExceeded" });
  await bench.until("ended", () => main(bench.status("uid-slow"))?.state?.terminated);
});

test("instances that no pod takes are stopped", async () => {
  bench.provider.startAhead({
    revision: "default/hello-1",
    namespace: "default",
    template: { metadata: { name: "", labels: revisionLabels }, spec: makePod("x", "listens-on-port").spec },
    count: 2,
  });
  await bench.until("both ready", () => bench.instances.filter((event) => event.type === "ready").length === 2);
  await bench.until("both gone", () => bench.instances.filter((event) => event.type === "gone").length === 2);
  expect(bench.drained).toHaveLength(2);
  await expect.poll(() => readdirSync(join(bench.dir, "run"))).toEqual([]);
});

test("why an instance started ahead failed is told for its revision, and cleared when one serves", async () => {
  const template = (image: string) => ({
    metadata: { name: "", labels: revisionLabels },
    spec: makePod("x", image).spec,
  });
  const request = { revision: "default/hello-1", namespace: "default", count: 1 };
  bench.provider.startAhead({ ...request, template: template("throws-at-import") });
  await bench.until("failure", () => bench.failures.get("default/hello-1")?.includes("TypeError"));
  bench.provider.startAhead({ ...request, template: template("fetch-function") });
  await bench.until("cleared", () => bench.instances.some((event) => event.type === "ready"));
  expect(bench.failures.get("default/hello-1")).toBeUndefined();
});

test("demand does not count on an instance that is being ended", async () => {
  const pod = makePod("leaving", "ignores-sigterm", { labels: revisionLabels });
  await runToReady(pod);
  const ending = bench.provider.deletePod("uid-leaving", 2_000);
  bench.provider.startAhead({
    revision: "default/hello-1",
    namespace: "default",
    template: { metadata: { name: "", labels: revisionLabels }, spec: pod.spec },
    count: 1,
  });
  await bench.until("another ready", () => bench.instances.filter((event) => event.type === "ready").length === 2);
  await ending;
});

test("callers of a revision whose pod fails are told why", async () => {
  bench.provider.setPod(makePod("broken", "throws-at-import", { labels: revisionLabels }));
  const reason = await bench.until("reason", () => bench.failures.get("default/hello-1"));
  expect(reason).toMatch(/^main ended with ImportFailed, exit code 1: TypeError: /);
});
