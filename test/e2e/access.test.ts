/** Who may do what at a started ebb's API, asked over HTTPS as a stranger would. */
import { readFile, stat } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

let ebb: EbbProcess;
let ca: Buffer;
beforeAll(async () => {
  ebb = await startEbb();
  const { clusters } = JSON.parse(await readFile(ebb.kubeconfig, "utf8"));
  ca = Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64");
});
afterAll(() => ebb.stop());

interface Said {
  readonly status: number;
  readonly body: string;
}

async function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Said> {
  const { promise, resolve, reject } = Promise.withResolvers<Said>();
  const sent = request(new URL(path, ebb.apiUrl), { ca, method, headers, agent: false }, (answer) => {
    text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
  });
  sent.once("error", reject);
  sent.end();
  return await promise;
}

const failure = (code: number, reason: string, message: string, details?: object): object => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  reason,
  ...(details ? { details } : {}),
  code,
});

describe("anonymous", () => {
  test.each(["/healthz", "/livez", "/readyz", "/version"])("may ask %s", async (path) => {
    expect((await ask(path)).status).toBe(200);
  });

  test.each([
    [
      "GET",
      "/api/v1/pods",
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
      { kind: "pods" },
    ],
    [
      "GET",
      "/api/v1/namespaces/default/secrets/x",
      'secrets "x" is forbidden: User "system:anonymous" cannot get resource "secrets" in API group "" in the namespace "default"',
      { name: "x", kind: "secrets" },
    ],
    [
      "POST",
      "/apis/serving.knative.dev/v1/namespaces/default/services",
      'services.serving.knative.dev is forbidden: User "system:anonymous" cannot create resource "services" in API group "serving.knative.dev" in the namespace "default"',
      { group: "serving.knative.dev", kind: "services" },
    ],
    [
      "DELETE",
      "/apis/apps/v1/namespaces/default/deployments",
      'deployments.apps is forbidden: User "system:anonymous" cannot deletecollection resource "deployments" in API group "apps" in the namespace "default"',
      { group: "apps", kind: "deployments" },
    ],
    [
      "GET",
      "/api/v1/watch/configmaps",
      'configmaps is forbidden: User "system:anonymous" cannot watch resource "configmaps" in API group "" at the cluster scope',
      { kind: "configmaps" },
    ],
    ["GET", "/apis", 'forbidden: User "system:anonymous" cannot get path "/apis"', {}],
    ["GET", "/nowhere", 'forbidden: User "system:anonymous" cannot get path "/nowhere"', {}],
  ])("is refused %s %s", async (method, path, message, details) => {
    const { status, body } = await ask(path, {}, method);
    expect({ status, body: JSON.parse(body) }).toEqual({
      status: 403,
      body: failure(403, "Forbidden", message, details),
    });
  });

  test("who shows a token that is nobody's is not taken for anonymous", async () => {
    for (const path of ["/api/v1/pods", "/version"]) {
      const { status, body } = await ask(path, { authorization: "Bearer nobody" });
      expect({ status, body: JSON.parse(body) }).toEqual({
        status: 401,
        body: failure(401, "Unauthorized", "Unauthorized"),
      });
    }
  });
});

test("the kubeconfig is its owner's alone", async () => {
  expect((await stat(ebb.kubeconfig)).mode & 0o077).toBe(0);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;
if (outside === undefined) process.stderr.write("access.test.ts: no outside address, loopback is NOT tested\n");

test.skipIf(outside === undefined)("API and router listen on loopback only", async () => {
  for (const url of [ebb.apiUrl, ebb.routerUrl]) {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({ host: outside ?? "", port: Number(new URL(url).port) }, () => resolve("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    expect(await promise).toBe("ECONNREFUSED");
    socket.destroy();
  }
});
