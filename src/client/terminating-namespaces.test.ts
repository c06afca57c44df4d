import { expect, test } from "vitest";
import { ConfigMapKind, PodKind } from "../api/core/kinds.ts";
import type { KubeObject } from "../api/meta/object.ts";
import type { Client } from "./client.ts";
import { isNamespaceTerminating, sparingTerminating } from "./terminating-namespaces.ts";

const going = { metadata: { name: "going", deletionTimestamp: "2026-01-01T00:00:00Z" } };
const namespaces = { get: (name: string) => (name === "going" ? going : { metadata: { name } }) };

function start() {
  const asked: string[] = [];
  const ask =
    (verb: string) =>
    async (_kind: unknown, { metadata }: KubeObject): Promise<object> => {
      asked.push(`${verb} ${metadata.namespace ?? ""}/${metadata.name}`);
      return {};
    };
  const server = { create: ask("create"), update: ask("update") } as unknown as Client;
  return { asked, client: sparingTerminating(server, namespaces) };
}

const at = (namespace: string) => ({ metadata: { name: "x", namespace } });

test("nothing is created in a namespace that goes, and no status told, without asking the server", async () => {
  const { asked, client } = start();
  const create = client.create(ConfigMapKind, at("going"));
  await expect(create).rejects.toSatisfy(isNamespaceTerminating);
  const pod = { ...at("going"), spec: { containers: [] } };
  await expect(client.update(PodKind, pod, { subresource: "status" })).rejects.toSatisfy(isNamespaceTerminating);
  expect(asked).toEqual([]);
});

test("everything else is asked: finalizers come off, other namespaces go on", async () => {
  const { asked, client } = start();
  await client.update(ConfigMapKind, at("going"));
  await client.create(ConfigMapKind, at("staying"));
  await client.update(PodKind, { ...at("staying"), spec: { containers: [] } }, { subresource: "status" });
  expect(asked).toEqual(["update going/x", "create staying/x", "update staying/x"]);
});
