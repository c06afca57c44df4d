/** Who reaches what, on a cluster whose network enforces NetworkPolicies; elsewhere it is said that nothing was tested. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "../e2e/ebb-process.ts";
import { homeKind, openHome, type Home } from "../e2e/home.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

if (homeKind !== "cluster")
  process.stderr.write("test/cluster: no cluster (npm run test:cluster), its policies are NOT tested\n");

type Reach = "open" | "refused" | "blocked";

describe.skipIf(homeKind !== "cluster")("pods of a cluster", () => {
  let home: Home;
  let outside: string;
  let enforced = false;

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await home.kubectl(args, stdin === undefined ? {} : { stdin });
    expect({ args, stderr: code === 0 ? "" : stderr }).toMatchObject({ stderr: "" });
    return stdout;
  }

  const addresses = async (namespace: string, selector: string): Promise<readonly string[]> =>
    (await kubectl(["get", "pods", "-n", namespace, "-l", selector, "-o", "jsonpath={.items[*].status.podIP}"]))
      .split(" ")
      .filter(Boolean);

  /** What becomes of a connection from the pod `probe` of a namespace. */
  async function reach(namespace: string, ip: string, port: number): Promise<Reach> {
    const program = `const s=require("net").connect(${port},"${ip}",()=>{console.log("open");process.exit()});s.on("error",()=>{console.log("refused");process.exit()});setTimeout(()=>{console.log("blocked");process.exit()},2000)`;
    return (await kubectl(["exec", "-n", namespace, "probe", "--", "node", "-e", program])).trim() as Reach;
  }

  /** A pod of ebb's own image, which has a Node, that does nothing. */
  async function startProbe(namespace: string, image: string): Promise<void> {
    const security = {
      runAsUser: 65532,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    };
    const command = ["node", "-e", 'require("http").createServer().listen(8080)'];
    const containers = [{ name: "probe", image, command, securityContext: security }];
    const metadata = { name: "probe", namespace, labels: { app: "probe" } };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers, terminationGracePeriodSeconds: 0 } };
    await kubectl(["apply", "-f", "-"], JSON.stringify(pod));
    await kubectl(["wait", "-n", namespace, "pod/probe", "--for=condition=Ready", "--timeout=90s"]);
  }

  const denyAll = (namespace: string) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "deny", namespace },
    spec: { podSelector: { matchLabels: { app: "probe" } }, policyTypes: ["Ingress"] },
  });

  beforeAll(async () => {
    home = await openHome();
    const router = ["get", "deployment", "-n", "ebb-system", "ebb-router"];
    const image = await kubectl([...router, "-o", "jsonpath={.spec.template.spec.containers[0].image}"]);
    outside = await home.createNamespace("outside");
    await Promise.all([startProbe(outside, image), startProbe(home.namespace, image)]);
    const [other = ""] = await addresses(home.namespace, "app=probe");
    expect(await eventually("the probe to listen", async () => (await reach(outside, other, 8080)) === "open")).toBe(
      true,
    );
    await kubectl(["apply", "-f", "-"], JSON.stringify(denyAll(home.namespace)));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    enforced = (await reach(outside, other, 8080)) === "blocked";
    const source = join(home.dir, "walled.ts");
    await writeFile(source, 'export default { fetch: () => new Response("inside") };');
    expect(await home.ebb("deploy", source, "--wait", "120s")).toMatchObject({ code: 0 });
  });
  afterAll(() => home.close());

  test("instances and waiting pods are reached by the router, and whom a policy lets in", async (context) => {
    context.skip(!enforced, "NOT TESTED: the network of this cluster does not enforce NetworkPolicies");
    expect((await home.call(home.host("walled"))).body).toBe("inside");
    const ofService = "serving.knative.dev/service=walled";
    const [instance = ""] = await addresses(home.namespace, ofService);
    expect(await reach(outside, instance, 8080)).toBe("blocked");
    expect(await reach(home.namespace, instance, 8080)).toBe("blocked");
    const waiting = await addresses(home.namespace, "ebb.dev/warm-pool");
    for (const ip of waiting.slice(0, 1)) expect(await reach(outside, ip, 8012)).toBe("blocked");
    const from = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": outside } } }];
    const allow = {
      ...denyAll(home.namespace),
      metadata: { name: "allow", namespace: home.namespace },
      spec: { podSelector: { matchLabels: { "serving.knative.dev/service": "walled" } }, ingress: [{ from }] },
    };
    await kubectl(["apply", "-f", "-"], JSON.stringify(allow));
    const answer = await eventually("the policy to let it in", async () => {
      await home.call(home.host("walled"));
      const [now = ""] = await addresses(home.namespace, ofService);
      return (await reach(outside, now, 8080)) === "open";
    });
    expect(answer).toBe(true);
    expect(await reach(home.namespace, (await addresses(home.namespace, ofService))[0] ?? "", 8080)).toBe("blocked");
  });

  test("ebb's own pods are reached at the ports meant for others alone", async (context) => {
    context.skip(!enforced, "NOT TESTED: the network of this cluster does not enforce NetworkPolicies");
    const [router = ""] = await addresses("ebb-system", "app.kubernetes.io/component=router");
    const [controller = ""] = await addresses("ebb-system", "app.kubernetes.io/component=controller");
    for (const port of [8080, 8081, 8443, 9090])
      expect([port, await reach(outside, router, port)]).toEqual([port, "open"]);
    // What routers say among themselves.
    for (const port of [8082, 8083]) expect([port, await reach(outside, router, port)]).toEqual([port, "blocked"]);
    for (const port of [8443, 9090]) expect([port, await reach(outside, controller, port)]).toEqual([port, "open"]);
    expect(await reach(outside, controller, 8080)).toBe("blocked");
    const [nats] = await addresses("ebb-system", "app.kubernetes.io/component=nats");
    if (nats !== undefined) expect(await reach(outside, nats, 4222)).toBe("blocked");
  });
});
