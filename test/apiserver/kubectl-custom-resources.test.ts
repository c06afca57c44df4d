/** The life of a custom resource as kubectl sees it, with the oldest and the newest kubectl that must work. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installedKubectls, startFixture, type Fixture } from "./kubectl.ts";

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [cronSpec]
            x-kubernetes-validations: [{rule: "self.minReplicas <= self.replicas", message: "replicas below the minimum"}]
            properties:
              cronSpec: {type: string, description: When it runs.}
              image: {type: string}
              replicas: {type: integer, maximum: 10, default: 1}
              minReplicas: {type: integer, default: 1}
              env:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties: {name: {type: string}, value: {type: string}}
          status: {type: object, properties: {replicas: {type: integer}}}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Image, type: string, priority: 1, jsonPath: .spec.image}
    selectableFields: [{jsonPath: .spec.image}]
`;

const cronTab = (spec: object): string =>
  JSON.stringify({
    apiVersion: "stable.example.com/v1",
    kind: "CronTab",
    metadata: { name: "my" },
    spec: { cronSpec: "* * * * *", ...spec },
  });

describe.each(installedKubectls())("%s", (program) => {
  let fixture: Fixture;

  const kubectl = async (args: string, input?: string): Promise<string> => {
    const answer = await fixture.kubectl(args.split(" "), input);
    if (answer.code !== 0) throw new Error(`kubectl ${args}: ${answer.stderr}`);
    return answer.stdout.trim();
  };
  const complaint = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await fixture.kubectl(args, input);
    if (code === 0) throw new Error(`kubectl ${args.join(" ")} did not fail: ${stdout}`);
    return stderr;
  };
  const table = async (args: string): Promise<string[][]> =>
    (await kubectl(args)).split("\n").map((line) => line.trim().split(/ {2,}/));

  beforeAll(async () => {
    fixture = await startFixture(program);
    await kubectl("apply -f -", definition);
    await kubectl("wait --for=condition=Established crd/crontabs.stable.example.com --timeout=10s");
  });
  afterAll(async () => {
    await fixture.close();
    expect(fixture.errors).toEqual([]);
  });

  test("it is applied, listed by its columns, found by its short name and explained", async () => {
    expect(await kubectl("apply -f -", cronTab({ image: "a" }))).toBe("crontab.stable.example.com/my created");
    expect(await table("get ct")).toEqual([
      ["NAME", "SPEC", "REPLICAS"],
      ["my", "* * * * *", "1"],
    ]);
    expect((await table("get ct -o wide"))[0]).toEqual(["NAME", "SPEC", "REPLICAS", "IMAGE"]);
    expect(await kubectl("explain ct.spec")).toMatch(/cronSpec\s+<string> -required-\s+When it runs\./);
    expect(await kubectl("get ct --field-selector spec.image=a -o name")).toBe("crontab.stable.example.com/my");
    expect(await kubectl("get ct --field-selector spec.image=b -o name")).toBe("");
  });

  test("its schema and its rules refuse what does not fit", async () => {
    expect(await complaint(["apply", "-f", "-"], cronTab({ replicas: 30 }))).toContain(
      "spec.replicas in body should be less than or equal to 10",
    );
    expect(await complaint(["apply", "-f", "-"], cronTab({ minReplicas: 3 }))).toContain("replicas below the minimum");
    expect(await complaint(["apply", "-f", "-"], cronTab({ imagee: "x" }))).toContain('unknown field "');
    const strategic = ["patch", "ct", "my", "--type=strategic", "-p", "{}"];
    expect(await complaint(strategic)).toMatch(/unknown format|strategic merge patch is not supported/);
  });

  test("it is scaled, diffed and applied by the server, list items by their key", async () => {
    await kubectl("scale ct my --replicas=3");
    expect(await kubectl("get ct my -o jsonpath={.spec.replicas}")).toBe("3");
    const { code, stdout } = await fixture.kubectl(["diff", "-f", "-"], cronTab({ image: "z" }));
    expect([code, stdout.includes("+  image: z")]).toEqual([1, true]);
    const env = (name: string): string => cronTab({ env: [{ name, value: "1" }] });
    await kubectl("apply --server-side --field-manager=one --force-conflicts -f -", env("A"));
    await kubectl("apply --server-side --field-manager=two -f -", env("B"));
    expect(await kubectl("get ct my -o jsonpath={.spec.env[*].name}")).toBe("A B");
  });

  test("it goes with its definition", async () => {
    await kubectl("delete crd crontabs.stable.example.com");
    expect(await complaint(["get", "ct"])).toMatch(
      /could not find the requested resource|doesn't have a resource type/,
    );
  });
});
