import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LeaseKind } from "../../src/api/coordination/kinds.ts";
import { EventKind, NodeKind, PodKind } from "../../src/api/core/kinds.ts";
import type { Pod } from "../../src/api/core/types.gen.ts";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { isNotFound } from "../../src/api/meta/errors.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { systemClock } from "../../src/client/clock.ts";
import { createInformers, type OpenInformers } from "../../src/client/create-informers.ts";
import { createNodeAgent, type NodeAgent } from "../../src/node/create-node-agent.ts";
import { images, quiet } from "./process-pods.ts";

const machine = {
  name: "here",
  hostIP: "127.0.0.1",
  cpus: 2,
  memoryBytes: 2 ** 31,
  platform: "linux",
  arch: "amd64",
  kernelVersion: "6",
  osImage: "test",
  machineId: "m",
  bootId: "b",
  version: "0.0.0",
  maxPods: 100,
};

let dir: string;
let server: ApiServer;
let informers: OpenInformers;
let agent: NodeAgent;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "ebb-agent-"));
  server = createApiServer(
    { dataDir: dir, fsync: false, definitions: builtinDefinitions },
    { log: quiet, now: Date.now },
  );
  openAgent();
  await agent.start();
});

function openAgent(): void {
  informers = createInformers(server.api, { log: quiet, clock: systemClock });
  agent = createNodeAgent(
    {
      client: server.api,
      informers,
      images,
      clock: systemClock,
      log: quiet,
      beforeTerminate: () => Promise.resolve(),
      onStartFailure: () => undefined,
    },
    { machine, dataDir: dir, nodePath: process.execPath, path: "/usr/bin:/bin", poolSize: 1 },
  );
}

afterEach(async () => {
  await agent.close();
  await informers.close();
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

async function createPod(name: string, image: string, spec: Partial<Pod["spec"]> = {}): Promise<void> {
  await server.api.create(PodKind, {
    metadata: { name, namespace: "default" },
    spec: {
      nodeName: "here",
      terminationGracePeriodSeconds: 3,
      automountServiceAccountToken: false,
      containers: [
        { name: "main", image, ports: [{ containerPort: 8080 }], readinessProbe: { tcpSocket: { port: 8080 } } },
      ],
      ...spec,
    },
  });
}

const getPod = (name: string): Promise<Pod | undefined> =>
  server.api.get(PodKind, { namespace: "default", name }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });

const until = { timeout: 10_000, interval: 20 };
const readiness = (pod: Pod | undefined) => pod?.status?.conditions?.find((c) => c.type === "Ready")?.status;

test("the node registers itself as Ready and renews its lease", async () => {
  const node = await server.api.get(NodeKind, { name: "here" });
  expect(node.status?.conditions?.find((c) => c.type === "Ready")?.status).toBe("True");
  expect(node.status?.allocatable?.["cpu"]).toBe("2");
  const lease = await server.api.get(LeaseKind, { namespace: "kube-node-lease", name: "here" });
  expect(lease.spec).toMatchObject({ holderIdentity: "here", leaseDurationSeconds: 40 });
});

test("a pod in the API is run, reported Ready, and removed after it was ended", async () => {
  await createPod("web", "dev.local/listens-on-port");
  await expect.poll(async () => readiness(await getPod("web")), until).toBe("True");
  const pod = await getPod("web");
  expect(pod?.status).toMatchObject({ phase: "Running", hostIP: "127.0.0.1" });
  expect(pod?.status?.podIP).toMatch(/^127\./);
  expect(pod?.status?.conditions?.filter((c) => c.reason !== undefined || c.message !== undefined)).toEqual([]);
  await server.api.delete(PodKind, { namespace: "default", name: "web" });
  await expect.poll(() => getPod("web"), until).toBeUndefined();
  for (const place of ["logs", "run", "pods"]) {
    await expect.poll(() => leftIn(join(dir, place)), until).toEqual(place === "run" ? ["processes"] : []);
  }
  const reasons = async (): Promise<readonly unknown[]> =>
    (await server.api.list(EventKind, { namespace: "default" })).items
      .filter((e) => e.involvedObject.name === "web")
      .map((e) => e.reason)
      .sort();
  await expect.poll(reasons, until).toEqual(["Created", "Killing", "Pulled", "Started"]);
});

test("a pod that finished is Succeeded and stays", async () => {
  await createPod("task", "dev.local/shell", {
    restartPolicy: "Never",
    containers: [{ name: "main", image: "dev.local/shell", command: ["sh", "-c", "echo done"] }],
  });
  await expect.poll(async () => (await getPod("task"))?.status?.phase, until).toBe("Succeeded");
  const status = (await getPod("task"))?.status;
  expect(status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
  expect(status?.conditions?.find((c) => c.type === "Ready")).toMatchObject({
    status: "False",
    reason: "PodCompleted",
  });
});

test("pods outlive the agent: the next one runs them again and says what happened", async () => {
  await createPod("web", "dev.local/listens-on-port");
  await createPod("task", "dev.local/shell", {
    restartPolicy: "Never",
    containers: [{ name: "main", image: "dev.local/shell", command: ["sh", "-c", "sleep 100"] }],
  });
  await expect.poll(async () => readiness(await getPod("web")), until).toBe("True");
  await expect.poll(async () => readiness(await getPod("task")), until).toBe("True");
  await agent.close();
  await informers.close();
  expect((await getPod("web"))?.status?.phase).toBe("Running");
  openAgent();
  await agent.start();
  await expect
    .poll(async () => (await getPod("web"))?.status?.containerStatuses?.[0], until)
    .toMatchObject({
      ready: true,
      restartCount: 1,
      lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } },
    });
  await expect.poll(async () => (await getPod("task"))?.status?.phase, until).toBe("Failed");
  expect((await getPod("task"))?.status?.containerStatuses?.[0]?.state?.terminated?.reason).toBe(
    "ContainerStatusUnknown",
  );
});

test("what a killed agent left running is ended by the next", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "fixtures/agent-to-kill.ts"), dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const pids = JSON.parse(line.toString()) as readonly number[];
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(pids.map(isAlive)).toEqual([true, true]);
  await agent.close();
  await informers.close();
  openAgent();
  await agent.start();
  await expect.poll(() => pids.map(isAlive)).toEqual([false, false]);
});

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}

function leftIn(dir: string): readonly string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}
