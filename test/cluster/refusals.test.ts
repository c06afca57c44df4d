/** What a cluster may refuse a Revision's pods for, and what the Service says of it. A real kubelet and scheduler decide. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

if (homeKind !== "cluster")
  process.stderr.write("test/cluster: no cluster (npm run test:cluster), its refusals are NOT tested\n");

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** There is no such image, and nothing is asked for it: a digest needs no resolving. */
const image = `ebb-test.invalid/none@sha256:${"1".repeat(64)}`;

describe.skipIf(homeKind !== "cluster")("a Service whose pods are refused", () => {
  let home: Home;
  beforeAll(async () => {
    home = await openHome();
  });
  afterAll(() => home.close());

  async function apply(...objects: readonly object[]): Promise<void> {
    const stdin = objects.map((object) => JSON.stringify(object)).join("\n---\n");
    const { code, stderr } = await home.kubectl(["apply", "-f", "-"], { stdin });
    expect(code === 0 ? "" : stderr).toBe("");
  }

  /** The Ready condition of a Service once it is False. */
  async function refusal(namespace: string, name: string): Promise<Condition> {
    return await eventually(
      `${name} to say why it cannot run`,
      async () => {
        const { stdout } = await home.kubectl(["get", "ksvc", name, "-n", namespace, "-o", "json"]);
        const { status } = JSON.parse(stdout) as { readonly status?: { readonly conditions?: readonly Condition[] } };
        return status?.conditions?.find(({ type, status }) => type === "Ready" && status === "False");
      },
      { deadlineMs: 60_000 },
    );
  }

  const service = (namespace: string, name: string, container: object = {}): object => ({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { template: { spec: { containers: [{ image, ...container }] } } },
  });

  test("by a quota says which one and what is used", async () => {
    const namespace = await home.createNamespace("quota");
    await apply({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "none", namespace },
      spec: { hard: { pods: "0" } },
    });
    await apply(service(namespace, "over"));
    expect((await refusal(namespace, "over")).message).toMatch(
      /exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0/,
    );
  });

  test("by a limit of its namespace says the limit", async () => {
    const namespace = await home.createNamespace("limits");
    const limits = [{ type: "Container", max: { memory: "64Mi" } }];
    await apply({ apiVersion: "v1", kind: "LimitRange", metadata: { name: "small", namespace }, spec: { limits } });
    await apply(service(namespace, "large", { resources: { limits: { memory: "128Mi" } } }));
    expect((await refusal(namespace, "large")).message).toMatch(
      /maximum memory usage per Container is 64Mi, but limit is 128Mi|does not have any ready Revision/,
    );
  });

  test("since no node has room says what is missing", async () => {
    await apply(service(home.namespace, "huge", { resources: { requests: { cpu: "1000" } } }));
    expect((await refusal(home.namespace, "huge")).message).toMatch(/nodes are available: .*Insufficient cpu/);
  });

  test("since its image cannot be pulled names the image", async () => {
    await apply(service(home.namespace, "nowhere"));
    expect((await refusal(home.namespace, "nowhere")).message).toContain(image);
  });
});
