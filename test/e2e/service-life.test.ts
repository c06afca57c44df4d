/**
 * The life of a Knative Service (created, updated, split 80/20, tagged, rolled back, deleted) by every supported
 * kubectl and by kn, as somebody sees it who watches with `kubectl get -w`.
 */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually, hasProgram, run } from "./ebb-process.ts";
import { openHome, patienceMs, type Home } from "./home.ts";
import { openSession, words, type KubectlSession } from "./kubectl-session.ts";

vi.setConfig({ testTimeout: patienceMs(60_000), hookTimeout: patienceMs(60_000) });

const kubectls: string[] = [];
for (const program of ["kubectl-1.20", "kubectl-1.36"]) if (await hasProgram(program)) kubectls.push(program);
const hasKn = await hasProgram("kn");
if (kubectls.length < 2)
  process.stderr.write(
    `service-life.test.ts: only [${kubectls.join(", ")}] in PATH, the other kubectls are NOT tested\n`,
  );
if (!hasKn) process.stderr.write("service-life.test.ts: no kn in PATH, its commands are NOT tested\n");

let ebb: Home;
let image: string;
beforeAll(async () => {
  ebb = await openHome();
  const source = join(ebb.dir, "version.js");
  await writeFile(source, 'export default { fetch: () => new Response(process.env.VERSION ?? "none") };');
  const deployed = await ebb.ebb("deploy", source, "--json");
  expect(deployed).toMatchObject({ code: 0 });
  ({ image } = JSON.parse(deployed.stdout));
});
afterAll(() => ebb.close());

/** One line of `kubectl get ksvc -w`, by its columns. */
interface Row {
  readonly created: string;
  readonly latestReady: string;
  readonly ready: string;
  readonly reason: string;
}

interface Watch {
  /** Rows so far, the same one again left out: counts and times are not in the columns. */
  rows(): readonly Row[];
  text(): string;
  stop(): void;
}

/** kubectl widens its columns from time to time without a new head, so lines are read by what words can be where. */
function readRow(line: string): Row {
  const [, ...cells] = line.trim().split(/\s+/);
  const names = cells.filter((cell) => /^life-\d{5}$/.test(cell));
  const at = cells.findIndex((cell) => ["True", "False", "Unknown"].includes(cell));
  return {
    created: names[0] ?? "",
    latestReady: names[1] ?? "",
    ready: at < 0 ? "" : (cells[at] ?? ""),
    reason: at < 0 ? "" : (cells[at + 1] ?? ""),
  };
}

/** Resolves when kubectl has begun to watch, which it says in its log. */
async function watchServices(program: string, namespace: string): Promise<Watch> {
  const args = ["--kubeconfig", ebb.kubeconfig, "-n", namespace, "get", "ksvc", "-w", "--no-headers", "-v=6"];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let seen = "";
  let said = "";
  child.stdout.on("data", (chunk) => (seen += chunk));
  child.stderr.on("data", (chunk) => (said += chunk));
  await eventually(
    "kubectl watches",
    async () => (/watch=true.* 200 OK|watch=true.*status="200 OK"/.test(said) ? true : undefined),
    {
      seen: () => said,
    },
  );
  return {
    text: () => seen,
    rows: () =>
      seen
        .split("\n")
        .slice(0, -1)
        .map(readRow)
        .filter((row, i, all) => i === 0 || JSON.stringify(row) !== JSON.stringify(all[i - 1])),
    stop: () => void child.kill(),
  };
}

/** READY and REASON that a Service which never fails may show on its way (knative: service and route conditions). */
const onTheWay = [
  " ",
  "Unknown ",
  "Unknown OutOfDate",
  "Unknown RevisionMissing",
  "Unknown IngressNotConfigured",
  "Unknown TrafficNotMigrated",
  "True ",
];

function checkWatch(watch: Watch): void {
  const rows = watch.rows();
  const states = new Set(rows.map(({ ready, reason }) => `${ready} ${reason}`));
  expect(
    [...states].filter((state) => !onTheWay.includes(state)),
    watch.text(),
  ).toEqual([]);
  // What a Service waits for is told once a second, so that steps may be left out; none of those told is out of order,
  // and a new revision is named ready no later than the Service is.
  const lines = rows.map(({ created, latestReady, ready }) => `${created} ${latestReady} ${ready}`);
  // Only the reason may have changed between two.
  const story = lines.filter((line, i) => line !== lines[i - 1]).join("\n");
  expect(story).toMatch(/^ {2}\n(?:.* Unknown\n)+life-00001 life-00001 True\n[^]*life-00002 life-00002 True\n/);
  expect(story).not.toMatch(/life-00002 life-00001 True|life-00001 {2}True/);
  expect(story.indexOf("life-00002")).toBeGreaterThan(story.indexOf("life-00001 life-00001 True"));
  // Splitting, tagging and rolling back make no revision.
  expect(story).not.toContain("life-00003");
  expect(rows.at(-1)).toMatchObject({ ready: "True", created: "life-00002" });
}

interface Target {
  readonly revisionName?: string;
  readonly latestRevision?: boolean;
  readonly percent: number;
  readonly tag?: string;
}

async function settled(k: KubectlSession, traffic: string): Promise<void> {
  let seen = "";
  await eventually(
    `the Service is ready with traffic ${traffic}`,
    async () => {
      const { metadata, status } = JSON.parse(await k.ok("get ksvc life -o json"));
      const targets: readonly (Target & { readonly url?: string })[] = status?.traffic ?? [];
      const ready = status?.conditions?.find((c: { type: string }) => c.type === "Ready")?.status;
      const current = status?.observedGeneration === metadata.generation;
      const shown = targets.map((t) => `${t.tag ? `${t.tag}:` : ""}${t.revisionName}=${t.percent ?? 0}`).sort();
      seen = `${ready} ${shown.join(" ")}`;
      return ready === "True" && current && shown.join(" ") === traffic ? true : undefined;
    },
    { seen: () => seen },
  );
}

const hostIn = (namespace: string, name = "life"): string => ebb.host(name, namespace);

/** Bodies of so many calls, counted. */
async function answers(host: string, calls: number): Promise<Map<string, number>> {
  const counted = new Map<string, number>();
  for (let i = 0; i < calls; i++) {
    const { status, body } = await ebb.call(host);
    expect({ status, body }).toMatchObject({ status: 200 });
    counted.set(body, (counted.get(body) ?? 0) + 1);
  }
  return counted;
}

/** What the split promises, within five standard deviations. */
async function checkSplit(host: string): Promise<void> {
  const counted = await answers(host, 200);
  expect([...counted.keys()].sort()).toEqual(["one", "two"]);
  expect(counted.get("one")).toBeGreaterThan(130);
  expect(counted.get("two")).toBeGreaterThan(11);
}

async function checkGone(k: KubectlSession): Promise<void> {
  await eventually("everything of the Service is gone", async () => {
    const all = "ksvc,configurations,revisions,routes,podautoscalers,deployments,replicasets,pods,services";
    return (await k.ok(`get ${all} -o name`)) === "" ? true : undefined;
  });
  expect((await ebb.call(hostIn(k.namespace))).status).toBe(404);
}

const manifest = (version: string, traffic: readonly Target[]): string =>
  JSON.stringify({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "life" },
    spec: { template: { spec: { containers: [{ image, env: [{ name: "VERSION", value: version }] }] } }, traffic },
  });

describe.each(kubectls)("by %s", (program) => {
  test("a Service lives as its manifest says, step by step", async () => {
    const k = openSession(ebb, program, await ebb.createNamespace(`life-${program.replace(/\D/g, "")}`));
    const watch = await watchServices(program, k.namespace);
    const host = hostIn(k.namespace);
    try {
      await k.ok("apply -f -", manifest("one", [{ latestRevision: true, percent: 100 }]));
      await settled(k, "life-00001=100");
      await k.ok("apply -f -", manifest("two", [{ latestRevision: true, percent: 100 }]));
      await settled(k, "life-00002=100");
      expect(await answers(host, 3)).toEqual(new Map([["two", 3]]));
      const split = [
        { revisionName: "life-00001", percent: 80 },
        { latestRevision: true, percent: 20 },
      ];
      await k.ok("apply -f -", manifest("two", split));
      await settled(k, "life-00001=80 life-00002=20");
      await checkSplit(host);
      await k.ok("apply -f -", manifest("two", [...split, { revisionName: "life-00001", percent: 0, tag: "old" }]));
      await settled(k, "life-00001=80 life-00002=20 old:life-00001=0");
      expect(await answers(hostIn(k.namespace, "old-life"), 3)).toEqual(new Map([["one", 3]]));
      await k.ok("apply -f -", manifest("two", [{ revisionName: "life-00001", percent: 100 }]));
      await settled(k, "life-00001=100");
      expect(await answers(host, 3)).toEqual(new Map([["one", 3]]));
      expect((await ebb.call(hostIn(k.namespace, "old-life"))).status).toBe(404);
      checkWatch(watch);
      await k.ok("delete ksvc life");
      await checkGone(k);
    } finally {
      watch.stop();
    }
  });
});

test.runIf(hasKn && kubectls.length > 0)("by kn, a Service lives the same life, and is described", async () => {
  const k = openSession(ebb, kubectls.at(-1) ?? "", await ebb.createNamespace("life-kn"));
  const kn = async (line: string): Promise<string> => {
    const args = ["--kubeconfig", ebb.kubeconfig, "-n", k.namespace, ...words(line)];
    const { code, stdout, stderr } = await run("kn", args, { env: process.env });
    expect({ line, code, text: code === 0 ? "" : stdout + stderr }).toEqual({ line, code: 0, text: "" });
    return stdout;
  };
  const watch = await watchServices(kubectls.at(-1) ?? "", k.namespace);
  const host = hostIn(k.namespace);
  try {
    expect(await kn(`service create life --image ${image} --env VERSION=one`)).toContain(
      `Service 'life' created to latest revision 'life-00001' is available at URL:\nhttp://${host}`,
    );
    await kn("service update life --env VERSION=two");
    expect(await answers(host, 3)).toEqual(new Map([["two", 3]]));
    await kn("service update life --traffic life-00001=80 --traffic @latest=20");
    await checkSplit(host);
    await kn("service update life --tag life-00001=old");
    expect(await answers(hostIn(k.namespace, "old-life"), 3)).toEqual(new Map([["one", 3]]));
    expect(await kn("service describe life")).toMatch(
      /20% +@latest \(life-00002\) \[2\][^]*80% +life-00001 #old \[1\][^]*\+\+ Ready[^]*\+\+ ConfigurationsReady[^]*\+\+ RoutesReady/,
    );
    expect(await kn("revision list")).toMatch(
      /life-00002 +life +20% +2 .* True *\nlife-00001 +life +80% +old +1 .* True/,
    );
    expect(await kn("route describe life")).toMatch(
      new RegExp(`80% +life-00001 #old\\n +URL: +http://${hostIn(k.namespace, "old-life")}`),
    );
    expect(await kn("service list")).toMatch(new RegExp(`life +http://${host}(:\\d+)? +life-00002 .* 3 OK / 3 +True`));
    await kn("service update life --untag old --traffic life-00001=100");
    await settled(k, "life-00001=100");
    expect(await answers(host, 3)).toEqual(new Map([["one", 3]]));
    checkWatch(watch);
    const claim = {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "ClusterDomainClaim",
      metadata: { name: "shop.example.com" },
      spec: { namespace: k.namespace },
    };
    // On a cluster a domain is whose its administrators say, standalone whose comes first.
    if (ebb.kind === "cluster") await k.ok("apply -f -", JSON.stringify(claim));
    await kn("domain create shop.example.com --ref life");
    await k.ok("wait domainmapping/shop.example.com --for=condition=Ready --timeout=10s");
    expect(await answers("shop.example.com", 1)).toEqual(new Map([["one", 1]]));
    await kn("domain delete shop.example.com");
    await kn("service delete life --wait");
    await checkGone(k);
  } finally {
    watch.stop();
    if (ebb.kind === "cluster") await k.run(words("delete clusterdomainclaim shop.example.com --ignore-not-found"));
  }
});
