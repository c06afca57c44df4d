/** The chart as Helm itself renders it, where one is installed; without a cluster to ask. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { parseAllDocuments } from "yaml";

vi.setConfig({ testTimeout: 30_000 });

const chart = fileURLToPath(new URL("../../../deploy/helm/ebb", import.meta.url));
const hasHelm = spawnSync("helm", ["version"], { stdio: "ignore" }).status === 0;

function template(...set: readonly string[]) {
  const args = ["template", "ebb", chart, "-n", "ebb-system", "--kube-version", "1.30.0", "--set", "image=x"];
  return spawnSync("helm", [...args, ...set.flatMap((one) => ["--set", one])], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
}

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly volumeClaimTemplates?: readonly { readonly spec: object }[] };
}

function natsOf(...set: readonly string[]): Rendered | undefined {
  const { stdout, stderr, status } = template(...set);
  expect({ stderr, status }).toMatchObject({ status: 0 });
  // Kinds are long, and not of interest.
  const workloads = stdout.split("---\n").filter((text) => text.startsWith("# Source: ebb/templates/workloads.yaml"));
  const objects = parseAllDocuments(workloads.join("---\n")).map((document) => document.toJS() as Rendered | null);
  const events = objects.filter((object) => object?.metadata.name === "ebb-events" && object.kind === "Deployment");
  const nats = objects.find((object) => object?.kind === "StatefulSet");
  expect(events).toHaveLength(nats ? 1 : 0);
  return nats ?? undefined;
}

test.skipIf(hasHelm)("NOT TESTED: the Helm chart, since there is no helm here", () => undefined);

describe.skipIf(!hasHelm)("the chart", () => {
  const request = (size: string) => ({ accessModes: ["ReadWriteOnce"], resources: { requests: { storage: size } } });

  test("has events whose volumes are of the cluster's default class where nothing else is said", () => {
    expect(natsOf()?.spec?.volumeClaimTemplates?.[0]?.spec).toEqual(request("10Gi"));
  });

  test("names the class and size of volumes that its values name", () => {
    const nats = natsOf("nats.storageClass=fast", "nats.storage=50Gi");
    expect(nats?.spec?.volumeClaimTemplates?.[0]?.spec).toEqual({ ...request("50Gi"), storageClassName: "fast" });
  });

  test("has no volumes where events may end with their server", () => {
    const nats = natsOf("nats.ephemeral=true");
    expect(nats).toBeDefined();
    expect(nats?.spec?.volumeClaimTemplates).toBeUndefined();
    expect(template("nats.ephemeral=true").stdout).toContain("&ephemeral=true");
  });

  test.each(["events=none", "replicas.events=0"])("leaves events out with %s", (value) => {
    expect(natsOf(value)).toBeUndefined();
  });

  test("refuses another word for events", () => {
    const { status, stderr } = template("events=perhaps");
    expect(status).toBe(1);
    expect(stderr).toContain("events: perhaps is neither auto, own nor none");
  });
});
