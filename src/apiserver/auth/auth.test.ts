import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PodKind, ServiceAccountKind } from "../../api/core/kinds.ts";
import { startTestServer, type TestServer } from "../test-server.ts";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(async () => {
  await t.close();
  expect(t.errors).toEqual([]);
});

const namespaced = "/api/v1/namespaces/default";

async function tokenFor(name: string, spec: object = {}): Promise<string> {
  const answer = await t.ask("POST", `${namespaced}/serviceaccounts/${name}/token`, { body: { spec } });
  expect(answer.status).toBe(201);
  return answer.json["status"]!["token"]!;
}

async function account(name: string, rules: readonly object[] = []): Promise<string> {
  await t.server.api.create(ServiceAccountKind, { metadata: { name, namespace: "default" } });
  const metadata = { name, namespace: "default" };
  const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
  expect((await t.ask("POST", `${rbac}/roles`, { body: { metadata, rules } })).status).toBe(201);
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name };
  const subjects = [{ kind: "ServiceAccount", name, namespace: "default" }];
  expect((await t.ask("POST", `${rbac}/rolebindings`, { body: { metadata, roleRef, subjects } })).status).toBe(201);
  return await tokenFor(name);
}

const podReader = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };

describe("authentication", () => {
  test("nobody may see public paths and nothing else", async () => {
    expect((await t.ask("GET", "/version", { token: "none" })).status).toBe(200);
    const denied = await t.ask("GET", `${namespaced}/pods`, { token: "none" });
    expect(denied.json).toMatchObject({
      code: 403,
      reason: "Forbidden",
      message:
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    });
  });

  test("a token that is nobody's is 401, not anonymous", async () => {
    const answer = await t.ask("GET", "/version", { token: "abc.def.ghi" });
    expect(answer.json).toMatchObject({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
  });

  test("a token ends with its account", async () => {
    const token = await account("short-lived", [podReader]);
    expect((await t.ask("GET", `${namespaced}/pods`, { token })).status).toBe(200);
    await t.server.api.delete(ServiceAccountKind, { namespace: "default", name: "short-lived" });
    expect((await t.ask("GET", `${namespaced}/pods`, { token })).status).toBe(401);
  });

  test("a token bound to a pod ends with the pod", async () => {
    await account("bound", [podReader]);
    const spec = { containers: [{ name: "c", image: "example.com/c" }] };
    const pod = await t.server.api.create(PodKind, { metadata: { name: "p", namespace: "default" }, spec });
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "p", uid: pod.metadata.uid };
    const token = await tokenFor("bound", { boundObjectRef });
    const review = await t.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { token, body: {} });
    expect(review.json["status"]!["userInfo"]).toMatchObject({
      username: "system:serviceaccount:default:bound",
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
      extra: { "authentication.kubernetes.io/pod-name": ["p"] },
    });
    await t.server.api.delete(PodKind, { namespace: "default", name: "p" });
    expect((await t.ask("GET", `${namespaced}/pods`, { token })).status).toBe(401);
  });

  test("the node agent gets tokens for its pods in process", async () => {
    const spec = { containers: [{ name: "c", image: "example.com/c" }] };
    const { metadata } = await t.server.api.create(PodKind, {
      metadata: { name: "agent", namespace: "default" },
      spec,
    });
    const pod = { name: "agent", uid: metadata.uid ?? "" };
    const request = { namespace: "default", serviceAccount: "default", audiences: [], expirationSeconds: 3607, pod };
    const { token, expiresAtMs } = await t.server.requestToken(request);
    expect(expiresAtMs - Date.now()).toBeGreaterThan(3_500_000);
    expect((await t.ask("GET", "/version", { token })).status).toBe(200);
    await expect(t.server.requestToken({ ...request, serviceAccount: "nobody" })).rejects.toMatchObject({ code: 404 });
  });

  test("tokens name their audience, and other audiences are refused", async () => {
    await account("aud");
    const token = await tokenFor("aud", { audiences: ["vault"] });
    expect((await t.ask("GET", "/version", { token })).status).toBe(401);
    const review = async (audiences: readonly string[]): Promise<unknown> =>
      (await t.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { body: { spec: { token, audiences } } }))
        .json["status"];
    expect(await review(["vault"])).toMatchObject({ authenticated: true, audiences: ["vault"] });
    expect(await review(["other"])).not.toHaveProperty("authenticated");
  });

  test("a lifetime under ten minutes is refused", async () => {
    const path = `${namespaced}/serviceaccounts/default/token`;
    const answer = await t.ask("POST", path, { body: { spec: { expirationSeconds: 60 } } });
    expect(answer.json["message"]).toMatch("may not specify a duration less than 10 minutes");
  });
});

test("a secret that asks for an account's token gets it, and the token ends with the secret", async () => {
  const annotations = { "kubernetes.io/service-account.name": "default" };
  const body = { metadata: { name: "kept", annotations }, type: "kubernetes.io/service-account-token" };
  const secrets = `${namespaced}/secrets`;
  expect((await t.ask("POST", secrets, { body })).status).toBe(201);
  const filled = async (): Promise<string | undefined> =>
    (await t.ask("GET", `${secrets}/kept`)).json["data"]?.["token"];
  await expect.poll(filled, { timeout: 5000 }).toBeTruthy();
  const token = Buffer.from((await filled()) ?? "", "base64").toString();
  const asks = async (): Promise<number> =>
    (await t.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { token, body: {} })).status;
  expect(await asks()).toBe(201);
  await t.ask("DELETE", `${secrets}/kept`);
  expect(await asks()).toBe(401);
});

describe("authorization", () => {
  test("a role gives its verbs in its namespace, no more", async () => {
    const token = await account("reader", [podReader]);
    const code = async (method: string, path: string): Promise<number> =>
      (await t.ask(method, path, { token, ...(method === "POST" ? { body: {} } : {}) })).status;
    expect(await code("GET", `${namespaced}/pods`)).toBe(200);
    expect(await code("GET", `${namespaced}/pods/none`)).toBe(404);
    expect(await code("GET", `${namespaced}/pods?watch=1&timeoutSeconds=1`)).toBe(403);
    expect(await code("GET", `${namespaced}/pods/none/log`)).toBe(403);
    expect(await code("GET", "/api/v1/pods")).toBe(403);
    expect(await code("POST", `${namespaced}/pods`)).toBe(403);
    expect(await code("GET", "/apis")).toBe(200);
  });

  test("nobody grants what they do not hold", async () => {
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    const manageRoles = {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["roles", "rolebindings"],
      verbs: ["create"],
    };
    const token = await account("delegate", [podReader, manageRoles]);
    const grant = async (name: string, rule: object): Promise<{ status: number; text: string }> =>
      await t.ask("POST", `${rbac}/roles`, { token, body: { metadata: { name }, rules: [rule] } });
    expect((await grant("held", podReader)).status).toBe(201);
    const refused = await grant("greedy", { apiGroups: [""], resources: ["secrets"], verbs: ["get"] });
    expect(refused.status).toBe(403);
    expect(refused.text).toMatch("is attempting to grant RBAC permissions not currently held");
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
    const subjects = [{ kind: "ServiceAccount", name: "delegate", namespace: "default" }];
    const bound = await t.ask("POST", `${rbac}/rolebindings`, {
      token,
      body: { metadata: { name: "up" }, roleRef, subjects },
    });
    expect(bound.status).toBe(403);
  });

  test("the bootstrap roles feed one another", async () => {
    const { json } = await t.ask("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin");
    const resources = JSON.stringify(json["rules"]);
    for (const wanted of ["rolebindings", "pods/eviction", "pods/log", "serving.knative.dev"])
      expect(resources).toContain(wanted);
  });

  test("impersonation needs the verb and changes the user", async () => {
    const headers = { "impersonate-user": "jane", "impersonate-group": "devs" };
    const asJane = await t.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { headers, body: {} });
    expect(asJane.json["status"]!["userInfo"]).toEqual({ username: "jane", groups: ["devs", "system:authenticated"] });
    const token = await account("plain");
    const refused = await t.ask("GET", "/version", { headers, token });
    expect(refused.json["message"]).toMatch('cannot impersonate resource "users"');
  });

  test("access reviews answer as the requests themselves would be", async () => {
    const token = await account("asker", [podReader]);
    const ask = async (verb: string): Promise<unknown> => {
      const resourceAttributes = { namespace: "default", verb, resource: "pods" };
      const body = { spec: { resourceAttributes } };
      const answer = await t.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { token, body });
      return answer.json["status"]!["allowed"];
    };
    expect(await ask("list")).toBe(true);
    expect(await ask("delete")).toBe(false);
  });
});
