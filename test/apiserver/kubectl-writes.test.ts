/** Everything kubectl does to change objects from files and patches, with the oldest and the newest kubectl that must work. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installedKubectls, startFixture, type Fixture } from "./kubectl.ts";

interface Manifest {
  readonly image?: string;
  readonly replicas?: number;
  readonly extra?: string;
}

const deployment = (name: string, { image = "nginx:1", replicas = 2, extra = "" }: Manifest = {}): string => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: main
        image: ${image}
        ports: [{containerPort: 80}]
${extra}`;

const configMap = (name: string, data: Readonly<Record<string, string>>): string =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });

describe.each(installedKubectls())("%s", (program) => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await startFixture(program);
  });
  afterAll(async () => {
    await fixture.close();
    expect(fixture.errors).toEqual([]);
  });

  /** The output of a kubectl that must succeed. */
  const kubectl = async (args: string, input?: string): Promise<string> => {
    const answer = await fixture.kubectl(args.split(" "), input);
    if (answer.code !== 0) throw new Error(`kubectl ${args}: ${answer.stderr}`);
    return answer.stdout.trim();
  };
  /** The complaint of a kubectl that must fail. */
  const refusal = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await fixture.kubectl(args, input);
    if (code === 0) throw new Error(`kubectl ${args.join(" ")} did not fail: ${stdout}`);
    return stderr;
  };
  const apply = (manifest: string, ...flags: string[]): Promise<string> =>
    kubectl(["apply", "-f", "-", ...flags].join(" "), manifest);
  const field = (object: string, path: string): Promise<string> => kubectl(`get ${object} -o jsonpath={${path}}`);

  test("apply creates, notices nothing to do, changes, and takes back what is no longer in the file", async () => {
    expect(await apply(deployment("a", { extra: "        env: [{name: A, value: one}, {name: B, value: two}]" }))).toBe(
      "deployment.apps/a created",
    );
    expect(await apply(deployment("a", { extra: "        env: [{name: A, value: one}, {name: B, value: two}]" }))).toBe(
      "deployment.apps/a unchanged",
    );
    expect(await apply(deployment("a", { image: "nginx:2", extra: "        env: [{name: B, value: three}]" }))).toBe(
      "deployment.apps/a configured",
    );
    expect(await field("deploy/a", ".spec.template.spec.containers[0].image")).toBe("nginx:2");
    expect(await field("deploy/a", ".spec.template.spec.containers[0].env[*].name")).toBe("B");
  });

  test("diff shows what apply would change and nothing else", async () => {
    await apply(deployment("d"));
    expect((await fixture.kubectl(["diff", "-f", "-"], deployment("d"))).code).toBe(0);
    const { code, stdout } = await fixture.kubectl(["diff", "-f", "-"], deployment("d", { image: "nginx:9" }));
    expect(code).toBe(1);
    const changes = stdout.split("\n").filter((line) => /^[-+] /.test(line) && !/generation|time:/.test(line));
    expect(changes.map((line) => line.replaceAll(/\s+/g, " "))).toEqual(["- - image: nginx:1", "+ - image: nginx:9"]);
  });

  test("dry runs by the server answer as if, and store nothing", async () => {
    expect(await apply(configMap("dry", { a: "1" }), "--dry-run=server")).toBe(
      "configmap/dry created (server dry run)",
    );
    expect(await refusal(["get", "configmap", "dry"])).toContain('configmaps "dry" not found');
  });

  test("unknown fields are refused before anything is stored, unless validation is off", async () => {
    const broken = deployment("broken").replace("replicas:", "replicaz:");
    expect(await refusal(["apply", "-f", "-"], broken)).toContain('unknown field "');
    expect(await refusal(["get", "deploy", "broken"])).toContain("not found");
    await kubectl("create --validate=false -f -", broken);
    expect(await field("deploy/broken", ".spec.replicas")).toBe("1");
  });

  test("a value of a wrong type is refused in the words of a kube-apiserver", async () => {
    await apply(deployment("typed"));
    expect(await refusal(["patch", "deploy", "typed", "-p", '{"spec":{"replicas":"three"}}'])).toContain(
      'The request is invalid: patch: Invalid value: "{\\"spec\\":{\\"replicas\\":\\"three\\"}}": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
  });

  test("patches of every type find their items", async () => {
    await apply(deployment("p"));
    const side = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox"}]}}}}';
    await fixture.kubectl(["patch", "deploy", "p", "-p", side]);
    expect(await field("deploy/p", ".spec.template.spec.containers[*].name")).toBe("side main");
    const gone = '{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}';
    await fixture.kubectl(["patch", "deploy", "p", "-p", gone]);
    expect(await field("deploy/p", ".spec.template.spec.containers[*].name")).toBe("main");
    await fixture.kubectl(["patch", "deploy", "p", "--type=merge", "-p", '{"spec":{"replicas":7,"paused":true}}']);
    const replace = '[{"op":"test","path":"/spec/replicas","value":7},{"op":"remove","path":"/spec/paused"}]';
    await fixture.kubectl(["patch", "deploy", "p", "--type=json", "-p", replace]);
    expect(await field("deploy/p", ".spec")).not.toContain("paused");
    expect(await refusal(["patch", "deploy", "p", "--type=json", "-p", replace])).toContain("The request is invalid");
  });

  test("set, label, annotate, scale and replace change what they say", async () => {
    await apply(deployment("s"));
    await kubectl("set image deploy/s main=nginx:3");
    await kubectl("label deploy s tier=front");
    await kubectl("annotate deploy s note=hello");
    await kubectl("scale deploy s --replicas=0");
    expect(await field("deploy/s", ".metadata.labels.tier")).toBe("front");
    expect(await field("deploy/s", ".metadata.annotations.note")).toBe("hello");
    expect(await field("deploy/s", ".spec.replicas")).toBe("0");
    await kubectl("label deploy s tier-");
    await kubectl("replace -f -", deployment("s", { replicas: 4 }));
    expect(await field("deploy/s", ".spec.template.spec.containers[0].image")).toBe("nginx:1");
    expect(await field("deploy/s", ".metadata.annotations")).toBe("");
  });

  test("server-side apply shares, refuses and takes over fields", async () => {
    await apply(configMap("ssa", { a: "1", b: "1" }), "--server-side");
    await apply(configMap("ssa", { a: "1" }), "--server-side", "--field-manager=other");
    expect(
      await refusal(["apply", "--server-side", "--field-manager=third", "-f", "-"], configMap("ssa", { b: "2" })),
    ).toContain('Apply failed with 1 conflict: conflict with "kubectl": .data.b');
    await apply(configMap("ssa", { b: "2" }), "--server-side", "--field-manager=third", "--force-conflicts");
    expect(await field("cm/ssa", ".data")).toBe('{"a":"1","b":"2"}');
    await apply(configMap("ssa", {}), "--server-side");
    expect(await field("cm/ssa", ".data")).toBe('{"a":"1","b":"2"}');
    await apply(configMap("ssa", {}), "--server-side", "--field-manager=other");
    expect(await field("cm/ssa", ".data")).toBe('{"b":"2"}');
  });

  test("what was applied by the client can go on by the server, and back", async () => {
    await apply(deployment("m", { extra: "        env: [{name: A, value: x}]" }));
    await apply(deployment("m", { image: "nginx:2" }), "--server-side");
    expect(await field("deploy/m", ".spec.template.spec.containers[0].image")).toBe("nginx:2");
    await apply(deployment("m", { image: "nginx:3" }));
    expect(await field("deploy/m", ".spec.template.spec.containers[0].image")).toBe("nginx:3");
  });

  test("generators make objects of many kinds", async () => {
    await kubectl("create namespace made");
    const commands = [
      "create configmap c --from-literal=a=b",
      "create secret generic s --from-literal=p=q",
      "create deployment d --image=nginx",
      "create job j --image=busybox",
      "create serviceaccount sa",
      "create role r --verb=get --resource=pods",
      "create rolebinding rb --role=r --user=u",
      "create quota q --hard=pods=3",
      "create ingress i --rule=a.b/x*=svc:80",
      "create service clusterip svc --tcp=80",
    ];
    for (const command of commands) await kubectl(`${command} -n made`);
    expect(await kubectl("get secret s -n made -o jsonpath={.data.p}")).toBe("cQ==");
    expect(await kubectl("get quota q -n made -o jsonpath={.spec.hard.pods}")).toBe("3");
    expect(await kubectl("get ingress i -n made -o jsonpath={.spec.rules[0].host}")).toBe("a.b");
  });

  test("explain knows the fields of built-in and Serving kinds", async () => {
    const ports = await kubectl("explain deployment.spec.template.spec.containers.ports");
    expect(ports).toMatch(/containerPort\s+<integer> -required-/);
    expect(await kubectl("explain ksvc.spec.template.spec")).toContain("containerConcurrency");
    expect(await kubectl("explain pod --recursive")).toContain("topologySpreadConstraints");
  });
});
