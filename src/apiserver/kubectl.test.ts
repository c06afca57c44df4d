/** What a user does with kubectl that rests on this server alone: access, tokens, tables, waits, discovery. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PodKind } from "../api/core/kinds.ts";
import { kubectls, startTestServer, type TestServer } from "./test-server.ts";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

describe.skipIf(kubectls.length === 0)("every supported kubectl", () => {
  describe.each(kubectls)("%s", (command) => {
    const namespace = command.replace(/\W/g, "-");
    const run = async (...args: readonly string[]): Promise<string> => await t.run(command, "-n", namespace, ...args);
    beforeAll(async () => void (await t.run(command, "create", "namespace", namespace)));

    test("grants a role and asks what it allows", async () => {
      await run("create", "serviceaccount", "robot");
      await run("create", "role", "reader", "--verb=get,list", "--resource=pods,deployments.apps");
      await run("create", "rolebinding", "reads", "--role=reader", `--serviceaccount=${namespace}:robot`);
      const as = `--as=system:serviceaccount:${namespace}:robot`;
      expect(await run("auth", "can-i", "list", "pods", as)).toBe("yes\n");
      expect(await run("auth", "can-i", "list", "deployments.apps", as)).toBe("yes\n");
      await expect(run("auth", "can-i", "delete", "pods", as)).rejects.toThrow("no\n");
      expect(await run("get", "pods", as)).toBe("");
      await expect(run("get", "secrets", as)).rejects.toThrow(
        `User "system:serviceaccount:${namespace}:robot" cannot list resource "secrets" in API group "" in the namespace "${namespace}"`,
      );
      expect(await run("auth", "can-i", "--list", as)).toMatch(/pods +\[\] +\[\] +\[get list\]/);
      expect(await run("get", "rolebindings")).toMatch(/reads +Role\/reader/);
    });

    test("finds resources by every name they have", async () => {
      const resources = await run("api-resources", "--no-headers");
      for (const line of [
        /^configmaps +cm +v1 +true +ConfigMap$/m,
        /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      ])
        expect(resources).toMatch(line);
      for (const name of ["sa", "serviceaccount", "serviceaccounts", "serviceaccounts.v1."])
        expect(await run("get", name, "default", "-o", "name")).toBe("serviceaccount/default\n");
      expect(await run("version", "-o", "json")).toMatch(/"gitVersion": "v1\.36\.0-ebb"/);
    });

    test("prints the columns of a pod and tells how it was made", async () => {
      await run("run", "seen", "--image=example.com/seen", "--restart=Never");
      expect(await run("get", "pods")).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE\nseen +0\/1 +Pending +0 +\d+s\n$/);
      expect(await run("get", "pods", "-o", "wide")).toMatch(/IP +NODE +NOMINATED NODE +READINESS GATES/);
      expect(await run("describe", "pod", "seen")).toMatch(/Service Account: +default|Status: +Pending/);
      expect(await run("get", "pods", "--field-selector=status.phase=Pending", "-o", "name")).toBe("pod/seen\n");
      expect(await run("get", "pods", "--sort-by=.metadata.name", "-o", "name")).toBe("pod/seen\n");
    });

    test("waits for a condition, and for what it deletes", async () => {
      await run("run", "waited", "--image=example.com/w");
      const ready = run("wait", "pod/waited", "--for=condition=Ready", "--timeout=15s");
      const conditions = [{ type: "Ready", status: "True" }];
      const body = { status: { phase: "Running", conditions } };
      await t.server.api.patch(
        PodKind,
        { namespace, name: "waited" },
        { type: "merge", body },
        { subresource: "status" },
      );
      expect(await ready).toBe("pod/waited condition met\n");
      expect(await run("delete", "pod", "waited")).toMatch('pod "waited" deleted');
      await expect(run("get", "pod", "waited")).rejects.toThrow("NotFound");
    });

    test("edits labels, annotations and scale, and sees the change", async () => {
      await run("create", "deployment", "web", "--image=example.com/web:1");
      await run("set", "image", "deployment/web", "web=example.com/web:2");
      await run("annotate", "deployment", "web", "note=yes");
      await run("label", "deployment", "web", "tier=front", "--overwrite");
      await run("scale", "deployment", "web", "--replicas=2", "--current-replicas=1");
      await expect(run("scale", "deployment", "web", "--replicas=3", "--current-replicas=1")).rejects.toThrow(
        /[Ee]xpected replicas to be 1, was 2/,
      );
      const path =
        "{.spec.replicas} {.spec.template.spec.containers[0].image} {.metadata.labels.tier} {.metadata.generation}";
      expect(await run("get", "deployment", "web", "-o", `jsonpath=${path}`)).toBe("2 example.com/web:2 front 4");
      await run("rollout", "restart", "deployment", "web");
      expect(await run("get", "deployment", "web", "-o", "jsonpath={.metadata.generation}")).toBe("5");
    });

    test("lists in pages what is too much for one", async () => {
      for (let i = 0; i < 7; i += 1)
        await t.ask("POST", `/api/v1/namespaces/${namespace}/secrets`, { body: { metadata: { name: `s${i}` } } });
      expect((await run("get", "secrets", "--chunk-size=3", "-o", "name")).split("\n").length).toBe(8);
      await run("delete", "secrets", "--all");
      expect(await run("get", "secrets", "-o", "name")).toBe("");
    });
  });

  test("a token made by kubectl is its account", async () => {
    const newest = kubectls.at(-1) ?? "";
    if (newest.endsWith("1.20")) return;
    const token = (await t.run(newest, "create", "token", "default", "--duration=20m")).trim();
    const answer = await t.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { token, body: {} });
    expect(answer.json["status"]!["userInfo"]).toMatchObject({ username: "system:serviceaccount:default:default" });
    expect(await t.run(newest, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")).toBe(
      "kubernetes-admin",
    );
  });

  test("drain evicts what is on a node", async () => {
    const newest = kubectls.at(-1) ?? "";
    await t.ask("POST", "/api/v1/nodes", { body: { metadata: { name: "old" } } });
    await t.run(newest, "run", "moved", "--image=example.com/m", "--overrides", '{"spec":{"nodeName":"old"}}');
    const drained = t.run(newest, "drain", "old", "--force", "--timeout=15s");
    // What the node's agent would do once the pod has ended.
    await expect
      .poll(
        async () =>
          (await t.ask("GET", "/api/v1/namespaces/default/pods/moved")).json["metadata"]!["deletionTimestamp"],
        { timeout: 10_000 },
      )
      .toBeTruthy();
    await t.ask("DELETE", "/api/v1/namespaces/default/pods/moved?gracePeriodSeconds=0");
    expect(await drained).toMatch("node/old drained");
  });
});
