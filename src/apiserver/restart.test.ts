import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigMapKind } from "../api/core/kinds.ts";
import { builtinDefinitions } from "../api/definitions.ts";
import { ClusterRoleKind } from "../api/rbac/kinds.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let dataDir: string;
const running: TestServer[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "ebb-data-"));
});
afterEach(async () => {
  for (const t of running.splice(0)) await t.close();
  chmodSync(dataDir, 0o700);
  rmSync(dataDir, { recursive: true });
});

async function start(options: object = {}): Promise<TestServer> {
  const t = await startTestServer({ dataDir, ...options });
  running.push(t);
  return t;
}

async function stop(t: TestServer): Promise<void> {
  running.splice(running.indexOf(t), 1);
  await t.close();
}

test("keys, tokens and versions outlive the process", async () => {
  const first = await start();
  const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const token = (await first.ask("POST", path, { body: { spec: {} } })).json["status"]!["token"]!;
  const made = await first.server.api.create(ConfigMapKind, { metadata: { name: "a", namespace: "default" } });
  await first.server.api.delete(ConfigMapKind, { namespace: "default", name: "a" });
  const ca = first.server.caCertificate;
  await stop(first);

  const second = await start();
  expect(second.server.caCertificate).toBe(ca);
  const review = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  expect((await second.ask("POST", review, { token, body: {} })).status).toBe(201);
  const seen: unknown[] = [];
  for await (const event of second.lines(
    `/api/v1/configmaps?watch=1&resourceVersion=${made.metadata.resourceVersion}`,
  )) {
    seen.push([event["type"], event["object"]!["metadata"]!["name"]]);
    break;
  }
  expect(seen).toEqual([["DELETED", "a"]]);
});

test("secrets in the data directory are its owner's alone", async () => {
  await start();
  for (const name of ["ca.json", "server.json", "admin.json", "tokens.json"])
    expect(statSync(join(dataDir, "pki", name)).mode & 0o077, name).toBe(0);
});

test("a damaged serving certificate is made anew, signed by the same CA", async () => {
  const first = await start();
  const ca = first.server.caCertificate;
  await stop(first);
  writeFileSync(join(dataDir, "pki", "server.json"), "{");
  const second = await start();
  expect(second.server.caCertificate).toBe(ca);
  expect((await second.ask("GET", "/version")).status).toBe(200);
});

test("a newer ebb adds to the roles it brought, but not to those a user keeps", async () => {
  const first = await start();
  const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
  const at = (name: string): { readonly name: string } => ({ name });
  const strip = { rules: [] };
  await first.server.api.patch(ClusterRoleKind, at("system:discovery"), { type: "merge", body: strip });
  await first.server.api.patch(ClusterRoleKind, at("system:basic-user"), {
    type: "merge",
    body: { ...strip, metadata: { annotations } },
  });
  await stop(first);
  const { api } = (await start()).server;
  expect((await api.get(ClusterRoleKind, at("system:discovery"))).rules).toHaveLength(1);
  expect((await api.get(ClusterRoleKind, at("system:basic-user"))).rules ?? []).toHaveLength(0);
});

test("a state file in use is refused, and the refusal leaves nothing open", async () => {
  await start();
  await expect(start()).rejects.toThrow(/cannot open the state file ".*state\.db": another process has it open/);
});

test("writes go through with fsync too", async () => {
  const t = await start({ fsync: true, definitions: builtinDefinitions });
  await t.server.api.create(ConfigMapKind, { metadata: { name: "synced", namespace: "default" } });
  expect((await t.ask("GET", "/api/v1/namespaces/default/configmaps/synced")).status).toBe(200);
});
