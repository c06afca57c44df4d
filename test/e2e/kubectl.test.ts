/** What users do with kubectl, by the oldest and the newest supported one, against a really started ebb. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually, hasProgram, startEbb, type EbbProcess } from "./ebb-process.ts";
import { heads, openSession, type KubectlSession } from "./kubectl-session.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const programs: string[] = [];
for (const program of ["kubectl-1.20", "kubectl-1.36"]) if (await hasProgram(program)) programs.push(program);
if (programs.length < 2)
  process.stderr.write(`kubectl.test.ts: only [${programs.join(", ")}] in PATH, the other kubectls are NOT tested\n`);

const image = "dev.local/default/python:latest";

const workload = `
apiVersion: v1
kind: Pod
metadata: { name: ticker, labels: { app: ticker } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: c, image: "${image}", command: [sh, -c, "echo one; echo two; exec sleep 1000"] }
---
apiVersion: v1
kind: Pod
metadata: { name: crasher }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: c, image: "${image}", command: [sh, -c, "echo last words; exit 3"] }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: py }
spec:
  replicas: 1
  selector: { matchLabels: { app: py } }
  template:
    metadata: { labels: { app: py } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: c, image: "${image}", ports: [{ containerPort: 8080 }] }]
`;

const definition = (plural: string): string => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ${plural}.e2e.example.com }
spec:
  group: e2e.example.com
  scope: Namespaced
  names: { plural: ${plural}, singular: ${plural.slice(0, -1)}, kind: ${plural.charAt(0).toUpperCase()}${plural.slice(1, -1)} }
  versions:
    - name: v1
      served: true
      storage: true
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas }
      additionalPrinterColumns:
        - { name: Size, type: string, jsonPath: .spec.size }
        - { name: Replicas, type: integer, jsonPath: .spec.replicas }
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              description: What is wanted.
              required: [size]
              x-kubernetes-validations:
                - { rule: "self.size != 'large' || self.replicas < 3", message: large ones come in twos }
              properties:
                size: { type: string, enum: [small, large], description: How big it is. }
                replicas: { type: integer, default: 1, minimum: 0 }
            status: { type: object, properties: { replicas: { type: integer } } }
`;

const headsOfKinds: Readonly<Record<string, string>> = {
  namespaces: "NAME|STATUS|AGE",
  nodes: "NAME|STATUS|ROLES|AGE|VERSION",
  configmaps: "NAME|DATA|AGE",
  secrets: "NAME|TYPE|DATA|AGE",
  pods: "NAME|READY|STATUS|RESTARTS|AGE",
  services: "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE",
  endpoints: "NAME|ENDPOINTS|AGE",
  endpointslices: "NAME|ADDRESSTYPE|PORTS|ENDPOINTS|AGE",
  deployments: "NAME|READY|UP-TO-DATE|AVAILABLE|AGE",
  replicasets: "NAME|DESIRED|CURRENT|READY|AGE",
  jobs: "NAME|STATUS|COMPLETIONS|DURATION|AGE",
  cronjobs: "NAME|SCHEDULE|TIMEZONE|SUSPEND|ACTIVE|LAST SCHEDULE|AGE",
  roles: "NAME|CREATED AT",
  rolebindings: "NAME|ROLE|AGE",
  ingresses: "NAME|CLASS|HOSTS|ADDRESS|PORTS|AGE",
  poddisruptionbudgets: "NAME|MIN AVAILABLE|MAX UNAVAILABLE|ALLOWED DISRUPTIONS|AGE",
  events: "LAST SEEN|TYPE|REASON|OBJECT|MESSAGE",
  horizontalpodautoscalers: "NAME|REFERENCE|TARGETS|MINPODS|MAXPODS|REPLICAS|AGE",
  priorityclasses: "NAME|VALUE|GLOBAL-DEFAULT|AGE|PREEMPTIONPOLICY",
};

describe.skipIf(programs.length === 0)("every supported kubectl", () => {
  let ebb: EbbProcess;
  beforeAll(async () => {
    ebb = await startEbb();
    // Brings the images; the Services themselves are not looked at.
    for (const example of ["python", "hello"])
      expect(await ebb.ebb("deploy", join(import.meta.dirname, "../../examples", example))).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await ebb.stop();
  });

  describe.each(programs)("%s", (program) => {
    const isOld = program === "kubectl-1.20";
    let k: KubectlSession;
    beforeAll(async () => {
      k = openSession(ebb, program, program.replace(/\W/g, "-"));
      await k.ok(`create namespace ${k.namespace}`);
      expect(await k.ok("apply -f -", workload)).toBe(
        "pod/ticker created\npod/crasher created\ndeployment.apps/py created",
      );
      await k.ok("wait --for=condition=Ready pod/ticker --timeout=20s");
      await k.ok("rollout status deployment/py --timeout=20s");
    });

    test("creates by command what it has commands for, and lists it under the right heads", async () => {
      const made = await Promise.all(
        [
          "configmap cm --from-literal=a=1",
          "secret generic sec --from-literal=p=w",
          `job one --image=${image} -- sh -c 'echo done'`,
          `cronjob cj --image=${image} --schedule='0 0 1 1 *' -- sh -c 'echo tick'`,
          "role reader --verb=get,list --resource=pods",
          `rolebinding reads --role=reader --serviceaccount=${k.namespace}:bob`,
          "serviceaccount bob",
          "quota q --hard=configmaps=30",
          "ingress ing --rule=foo.example.com/bar=svc:8080",
          "poddisruptionbudget pdb --selector=app=none --min-available=1",
          `priorityclass ${k.namespace} --value=100`,
          "service clusterip svc --tcp=8080:8080",
        ].map((line) => k.ok(`create ${line}`)),
      );
      expect(made.every((line) => line.endsWith(" created"))).toBe(true);
      await k.ok("autoscale deployment py --min=1 --max=3 --cpu-percent=80");
      await k.ok("wait --for=condition=complete job/one --timeout=20s");
      const tables = Object.keys(headsOfKinds).map(async (kind) => [kind, heads(await k.ok(`get ${kind}`))]);
      expect(Object.fromEntries(await Promise.all(tables))).toEqual(headsOfKinds);
      expect(await k.ok("logs job/one")).toBe("done");
      expect((await k.fails("create configmap cm")).text).toContain('configmaps "cm" already exists');
      await k.ok("delete hpa py");
    });

    test("describes what there is", async () => {
      const all = [
        ["deployment py", /NewReplicaSet: +py-\w+ \(1\/1 replicas created\)/],
        ["pod ticker", /Status: +Running[^]*Started +.*kubelet/],
        ["job one", /1 Succeeded/],
        ["cronjob cj", /Schedule: +0 0 1 1 \*/],
        ["quota q", /configmaps +\d +30/],
        ["service svc", /IP: +10\.96\./],
        ["secret sec", /p: +1 bytes/],
        ["role reader", /pods +\[\] +\[\] +\[get list\]/],
        ["pdb pdb", /Min available: +1/],
        ["node", /Container Runtime Version: +ebb-process/],
      ] as const;
      const told = await Promise.all(all.map(([what]) => k.ok(`describe ${what}`)));
      for (const [index, [, expected]] of all.entries()) expect(told[index]).toMatch(expected);
    });

    test("reads logs, runs commands inside and forwards a port", async () => {
      expect(await k.ok("logs ticker --tail=1")).toBe("two");
      expect(await k.ok("logs -l app=ticker")).toBe("one\ntwo");
      expect(await k.ok("logs ticker --timestamps --tail=1")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z two$/);
      await eventually("the first crash has a log", async () => {
        const { code, stdout } = await k.run(["logs", "crasher", "--previous"]);
        return code === 0 && stdout === "last words\n" ? true : undefined;
      });
      const left = await k.run(["exec", "ticker", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
      expect(left).toMatchObject({ code: 7, stdout: "out\n" });
      expect(left.stderr).toContain("err\n");
      expect(await k.ok("exec -i ticker -- cat", "from stdin")).toBe("from stdin");

      const args = ["--kubeconfig", ebb.kubeconfig, "-n", k.namespace, "port-forward", "deployment/py", ":8080"];
      const forward = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
      try {
        const [line] = await once(forward.stdout, "data");
        const port = /127\.0\.0\.1:(\d+)/.exec(String(line))?.[1];
        for (const path of ["/a", "/b"]) {
          const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
          expect(await answer.text()).toBe(`Hello from Python, ${path}\n`);
        }
      } finally {
        forward.kill();
      }
    });

    test("follows a log until its end", async () => {
      await k.ok(`run talker --image=${image} --restart=Never -- sh -c 'echo a; sleep 1; echo b'`);
      await k.ok("wait --for=condition=PodScheduled pod/talker --timeout=10s");
      await eventually("the log can be followed to its end", async () => {
        const { code, stdout } = await k.run(["logs", "-f", "talker"]);
        return code === 0 && stdout === "a\nb\n" ? true : undefined;
      });
    });

    test("rolls out, back, and says how far it is", async () => {
      await k.ok("set env deployment/py A=b");
      expect(await k.ok("rollout status deployment/py --timeout=30s")).toContain("successfully rolled out");
      expect(await k.ok("rollout history deployment/py")).toMatch(/REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/);
      expect(await k.ok("rollout history deployment/py --revision=2")).toMatch(/A:\s+b/);
      expect((await k.run(["rollout", "undo", "deployment/py"])).stdout).toContain("rolled back");
      await k.ok("rollout status deployment/py --timeout=30s");
      expect(await k.ok("rollout history deployment/py")).toMatch(/\n2 +<none>\n3 +<none>/);
      expect(await k.ok("rollout pause deployment/py")).toContain("paused");
      expect((await k.fails("rollout pause deployment/py")).text).toContain("is already paused");
      await k.ok("rollout resume deployment/py");
      await k.ok("rollout restart deployment/py");
      await k.ok("scale deployment/py --replicas=2 --current-replicas=1");
      await k.ok("rollout status deployment/py --timeout=30s");
      expect((await k.fails("rollout undo deployment/py --to-revision=99")).text).toContain(
        "unable to find specified revision 99",
      );
      await k.ok("expose deployment py --port=80 --target-port=8080");
      await eventually("both pods are endpoints", async () =>
        /(127\.[\d.]+:8080,?){2}/.test(await k.ok("get endpoints py")) ? true : undefined,
      );
    });

    test("patches, edits, compares and replaces", async () => {
      await k.ok("create configmap edited --from-literal=a=1");
      const patches = [
        ["json", '[{"op":"add","path":"/data/b","value":"2"}]'],
        ["merge", '{"data":{"a":null}}'],
        ["strategic", '{"data":{"c":"3"}}'],
      ] as const;
      for (const [type, patch] of patches) await k.ok(`patch configmap edited --type=${type} -p '${patch}'`);
      expect(JSON.parse(await k.ok("get configmap edited -o jsonpath={.data}"))).toEqual({ b: "2", c: "3" });
      await k.fails(`patch configmap edited --type=json -p '[{"op":"test","path":"/data/b","value":"9"}]'`);
      await k.ok("label configmap edited x=y");
      expect((await k.fails("label configmap edited x=z")).text).toContain("--overwrite is false");
      await k.ok("label configmap edited x=z --overwrite");
      await k.ok("annotate configmap edited note=hi");
      const manifest = (value: string): string =>
        JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "plain" }, data: { a: value } });
      expect(await k.ok("apply -f -", manifest("1"))).toBe("configmap/plain created");
      expect(await k.ok("apply -f -", manifest("1"))).toBe("configmap/plain unchanged");
      await k.ok("diff -f -", manifest("1"));
      const { code, text } = await k.fails("diff -f -", manifest("2"));
      expect({ code, text }).toEqual({ code: 1, text: expect.stringMatching(/-  a: "1"\n\+  a: "2"/) });
      expect(await k.ok("replace -f -", manifest("3"))).toBe("configmap/plain replaced");
      expect(await k.ok("apply -f -", manifest("4"))).toBe("configmap/plain configured");
      expect((await k.fails("replace -f -", manifest("5").replace("plain", "missing"))).text).toContain("NotFound");
      expect((await k.fails("apply -f -", manifest("1").replace('"data"', '"dada"'))).text).toContain("dada");
    });

    test("applies on the server, with conflicts and force", async () => {
      const of = (value: string): string =>
        JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "shared" }, data: { a: value } });
      expect(await k.ok("apply --server-side --field-manager=one -f -", of("1"))).toBe(
        "configmap/shared serverside-applied",
      );
      const { text } = await k.fails("apply --server-side --field-manager=two -f -", of("2"));
      expect(text).toMatch(/conflict with "one"[^]*\.data\.a/);
      await k.ok("apply --server-side --field-manager=two --force-conflicts -f -", of("2"));
      expect(await k.ok("get configmap shared -o jsonpath={.data.a}")).toBe("2");
      await k.ok("apply --server-side --field-manager=two -f -", of("2"));
    });

    test("deletes in the background, in the foreground, and leaving orphans", async () => {
      for (const mode of ["background", "foreground", "orphan"]) {
        await k.ok(`create deployment d-${mode} --image=${image}`);
        await eventually(`the ReplicaSet of d-${mode} is there`, async () =>
          (await k.ok(`get rs -l app=d-${mode} -o name`)) === "" ? undefined : true,
        );
        await k.ok(`delete deployment d-${mode} --cascade=${mode}`);
      }
      expect(await k.ok("get rs -l app=d-foreground -o name")).toBe("");
      await eventually("the garbage collector is through", async () =>
        (await k.ok("get rs -l app=d-background -o name")) === "" ? true : undefined,
      );
      expect(await k.ok("get rs -l app=d-orphan -o name")).toMatch(/^replicaset.apps\/d-orphan-\w+$/);
      expect(await k.ok("get rs -l app=d-orphan -o jsonpath={.items[*].metadata.ownerReferences}")).toBe("");
      await k.ok("delete rs -l app=d-orphan");
      // The old one takes an object that is gone before it looks for a mistake, the new one for what was waited for.
      if (!isOld) await k.ok("wait --for=delete deployment/d-orphan --timeout=10s");
      expect((await k.fails("wait --for=condition=Nope pod/ticker --timeout=1s")).text).toContain("timed out");
      if (!isOld) await k.ok("wait --for=jsonpath='{.status.phase}'=Running pod/ticker --timeout=5s");
      await k.ok("delete pod crasher --grace-period=0 --force");
    });

    test("explains kinds, and lists what is served", async () => {
      expect(await k.ok("explain pod.spec.containers.livenessProbe")).toContain("failureThreshold\t<integer>");
      expect(await k.ok("explain ksvc --recursive")).toMatch(/containerConcurrency\t<integer>/);
      for (const kind of ["deployment.spec.strategy", "cronjob.spec", "ingress.spec.rules", "crd.spec", "hpa.spec"])
        expect(await k.ok(`explain ${kind}`)).toMatch(/FIELDS:\n/);
      expect((await k.fails("explain pod.nope")).text).toContain('field "nope" does not exist');
      const versions = (await k.ok("api-versions")).split("\n");
      for (const version of ["v1", "apps/v1", "batch/v1", "serving.knative.dev/v1"])
        expect(versions).toContain(version);
      expect(await k.ok("api-resources")).toMatch(/^services +ksvc,kservice +serving.knative.dev\/v1 +true +Service$/m);
      for (const missing of ["get persistentvolumes", "get csr", "certificate approve x"])
        expect((await k.fails(missing)).text).toContain("the server doesn't have a resource type");
    });

    test("shows usage, and keeps pods off a node", async () => {
      await eventually("usage is known", async () =>
        (await k.run(["top", "pod", "ticker"])).stdout.includes("ticker") ? true : undefined,
      );
      expect(heads(await k.ok("top nodes"))).toMatch(/^NAME\|CPU\(cores\)/);
      const node = (await k.ok("get nodes -o name")).trim();
      await k.ok(`taint ${node.replace("/", " ")} e2e=x:NoSchedule`);
      await k.ok(`cordon ${node}`);
      try {
        expect(await k.ok("get nodes")).toContain("Ready,SchedulingDisabled");
        await k.ok(`run late --image=${image} --restart=Never -- true`);
        await k.ok("wait --for=condition=PodScheduled=False pod/late --timeout=10s");
        await k.ok(`drain ${node} --force --ignore-daemonsets --pod-selector=app=ticker --timeout=20s`);
        expect((await k.fails("get pod ticker")).text).toContain("NotFound");
      } finally {
        await k.ok(`uncordon ${node}`);
        await k.ok(`taint ${node.replace("/", " ")} e2e-`);
      }
      await k.ok("wait --for=condition=PodScheduled pod/late --timeout=10s");
      expect(await k.ok("get events --field-selector=reason=FailedScheduling")).toContain("pod/late");
    });

    test("gives an account what its role gives, no more", async () => {
      const as = `--as=system:serviceaccount:${k.namespace}:bob`;
      expect(await k.ok(`auth can-i list pods ${as}`)).toBe("yes");
      expect((await k.run(["auth", "can-i", "delete", "pods", as])).stdout.trim()).toBe("no");
      expect(await k.ok(`auth can-i --list ${as}`)).toMatch(/pods +\[\] +\[\] +\[get list\]/);
      const denied = (await k.fails(`get secrets ${as}`)).text;
      expect(denied).toContain(
        `User "system:serviceaccount:${k.namespace}:bob" cannot list resource "secrets" in API group "" in the namespace "${k.namespace}"`,
      );
      if (isOld) return;
      const token = await k.ok("create token bob");
      const fresh = ["--kubeconfig=/dev/null", `--server=${ebb.apiUrl}`, "--insecure-skip-tls-verify"];
      expect(await k.run([...fresh, `--token=${token}`, "get", "pods", "-o", "name"])).toMatchObject({ code: 0 });
      expect((await k.run([...fresh, `--token=${token}`, "get", "cm"])).stderr).toContain("Forbidden");
      expect((await k.run([...fresh, "--token=wrong", "get", "pods"])).stderr).toMatch(/Unauthorized|logged in/);
      expect((await k.run([...fresh, "get", "pods", "--username=", "--password="])).code).not.toBe(0);
    });

    test("serves a custom kind from its definition until that is gone", async () => {
      const plural = isOld ? "oldies" : "newies";
      const kind = isOld ? "Oldie" : "Newie";
      await k.ok("apply -f -", definition(plural));
      await k.ok(`wait --for=condition=Established crd/${plural}.e2e.example.com --timeout=10s`);
      const object = (spec: unknown): string =>
        JSON.stringify({ apiVersion: "e2e.example.com/v1", kind, metadata: { name: "x" }, spec });
      await eventually("the kind is discovered", async () => {
        const { code } = await k.run(["apply", "-f", "-"], object({ size: "small" }));
        return code === 0 ? true : undefined;
      });
      expect(await k.ok(`get ${plural}`)).toMatch(/^NAME +SIZE +REPLICAS\nx +small +1$/);
      expect(await k.ok(`explain ${plural}.spec`)).toMatch(/What is wanted\.[^]*How big it is\./);
      await k.ok(`scale ${plural}/x --replicas=4`);
      expect(await k.ok(`get ${plural} x -o jsonpath={.spec.replicas}`)).toBe("4");
      const refused = [
        ['{"spec":{"size":"medium"}}', 'supported values: "small", "large"'],
        ['{"spec":{"size":"large"}}', "large ones come in twos"],
        ['{"spec":{"replicas":-1}}', "greater than or equal to 0"],
      ] as const;
      for (const [patch, reason] of refused)
        expect((await k.fails(`patch ${plural} x --type=merge -p '${patch}'`)).text).toContain(reason);
      await k.ok(`delete crd ${plural}.e2e.example.com`);
      await k.fails(`get --raw /apis/e2e.example.com/v1/namespaces/${k.namespace}/${plural}`);
    });

    test("lists the kinds of Serving under the sheet's heads", async () => {
      expect(heads(await k.ok("get ksvc -n default"))).toBe("NAME|URL|LATESTCREATED|LATESTREADY|READY|REASON");
      expect(heads(await k.ok("get configurations -n default"))).toBe("NAME|LATESTCREATED|LATESTREADY|READY|REASON");
      expect(heads(await k.ok("get revisions -n default"))).toBe(
        "NAME|CONFIG NAME|GENERATION|READY|REASON|ACTUAL REPLICAS|DESIRED REPLICAS",
      );
      expect(heads(await k.ok("get routes -n default"))).toBe("NAME|URL|READY|REASON");
      expect(heads(await k.ok("get kpa -n default"))).toBe("NAME|DESIREDSCALE|ACTUALSCALE|READY|REASON");
    });

    test("leaves nothing of a deleted namespace", async () => {
      await k.ok(`delete namespace ${k.namespace} --timeout=40s`);
      expect((await k.fails(`get namespace ${k.namespace}`)).text).toContain("NotFound");
      expect(await k.ok("get pods,configmaps,deployments -o name")).toBe("");
    });
  });
});
