import { afterAll, describe, expect, test } from "vitest";
import { has, startDistribution, startOurs, temporaryStore, type RunningRegistry } from "../../registry/registries.ts";
import { runRegistryConformance } from "./registry-conformance.ts";

describe("ebb", () => {
  const own = temporaryStore();
  let running: RunningRegistry | undefined;
  afterAll(async () => {
    await running?.close();
    own.remove();
  });
  runRegistryConformance(async () => {
    running = await startOurs(own.store);
    return { host: running.host, referrers: true, strict: true };
  });

  test("long lists come in pages, each with the address of the next", async () => {
    const url = (path: string): URL => new URL(path, `http://${running?.host}`);
    const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
    const headers = { "content-type": indexType };
    for (const tag of ["a", "b", "c"])
      await fetch(url(`/v2/paged/one/manifests/${tag}`), { method: "PUT", body, headers });
    const pages: unknown[] = [];
    for (let next: string | undefined = "/v2/paged/one/tags/list?n=2"; next !== undefined;) {
      const response = await fetch(url(next));
      pages.push(((await response.json()) as { readonly tags: unknown }).tags);
      next = /^<(.+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(pages).toEqual([["a", "b"], ["c"]]);
    const catalog = (await (await fetch(url("/v2/_catalog"))).json()) as { readonly repositories: readonly string[] };
    expect(catalog.repositories).toContain("paged/one");
  });

  test("a name no repository can have is refused, and so is a blob's deletion", async () => {
    const bad = await fetch(`http://${running?.host}/v2/UPPER/tags/list`);
    expect([bad.status, await bad.json()]).toMatchObject([400, { errors: [{ code: "NAME_INVALID" }] }]);
    const blob = await fetch(`http://${running?.host}/v2/a/blobs/sha256:${"0".repeat(64)}`, { method: "DELETE" });
    expect([blob.status, await blob.json()]).toMatchObject([405, { errors: [{ code: "UNSUPPORTED" }] }]);
  });

  test("without a token, web pages and other machines' names are turned away", async () => {
    for (const headers of [{ origin: "https://evil.example" }]) {
      const response = await fetch(`http://${running?.host}/v2/`, { headers });
      expect(response.status).toBe(403);
    }
  });

  test("with a token, nobody without it gets in", async () => {
    const other = temporaryStore();
    const guarded = await startOurs(other.store, { token: "secret" });
    const ask = async (password?: string) =>
      await fetch(`http://${guarded.host}/v2/`, {
        headers:
          password === undefined ? {} : { authorization: `Basic ${Buffer.from(`u:${password}`).toString("base64")}` },
      });
    const refused = await ask();
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="ebb"']);
    expect((await ask("wrong")).status).toBe(401);
    expect((await ask("secret")).status).toBe(200);
    await guarded.close();
    other.remove();
  });
});

const indexType = "application/vnd.oci.image.index.v1+json";

describe.skipIf(!has("docker-registry"))("distribution (docker-registry)", () => {
  let running: RunningRegistry | undefined;
  afterAll(async () => {
    await running?.close();
  });
  runRegistryConformance(async () => {
    running = await startDistribution();
    return { host: running.host, referrers: false, strict: false };
  });
});
