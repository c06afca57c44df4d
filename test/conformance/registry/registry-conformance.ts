/** What any OCI registry does, as clients rely on it (distribution specification 1.1). */
import { createHash, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";

export interface RegistryUnderTest {
  /** `127.0.0.1:5000`, spoken to in plain HTTP. */
  readonly host: string;
  /** Lists what refers to a manifest, and says so when one is put. */
  readonly referrers: boolean;
  /** Refuses chunks out of order and sorts tags, as the specification says and older servers do not. */
  readonly strict: boolean;
}

const sha = (bytes: Uint8Array | string): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const unknown = sha("never there");

/** `start` is called once, before the first test. */
export function runRegistryConformance(start: () => Promise<RegistryUnderTest>): void {
  let registry: RegistryUnderTest;
  beforeAll(async () => {
    registry = await start();
  });
  const name = `conformance/${randomBytes(4).toString("hex")}`;

  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Response> =>
    await fetch(new URL(path, `http://${registry.host}/v2/${name}/`), { method, ...init });
  const codeOf = async (response: Response): Promise<string | undefined> => {
    const { errors } = (await response.json()) as { readonly errors: readonly { readonly code: string }[] };
    return errors[0]?.code;
  };
  const begin = async (): Promise<string> => {
    const response = await ask("POST", "blobs/uploads/");
    expect(response.status).toBe(202);
    return new URL(response.headers.get("location") ?? "", response.url).href;
  };
  const withDigest = (location: string, digest: string): string => {
    const url = new URL(location);
    url.searchParams.set("digest", digest);
    return url.href;
  };
  const putBlob = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
    const digest = sha(bytes);
    const response = await ask("PUT", withDigest(await begin(), digest), { body: bytes });
    expect(response.status).toBe(201);
    return digest;
  };
  const makeManifest = async (more: object = {}): Promise<string> => {
    const [config, layer] = [Buffer.from(`{"a":"${randomBytes(4).toString("hex")}"}`), randomBytes(100)];
    const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha(bytes), size: bytes.length });
    await putBlob(Uint8Array.from(config));
    await putBlob(Uint8Array.from(layer));
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
      ...more,
    });
  };
  const putManifest = async (reference: string, body: string, type = manifestType): Promise<Response> =>
    await ask("PUT", `manifests/${reference}`, { body, headers: { "content-type": type } });

  describe("blobs", () => {
    const bytes = Uint8Array.from(randomBytes(3000));

    test("a blob sent in one go is there, whole and in parts", async () => {
      const digest = await putBlob(bytes);
      const head = await ask("HEAD", `blobs/${digest}`);
      expect([head.status, head.headers.get("content-length")]).toEqual([200, "3000"]);
      expect(Buffer.from(await (await ask("GET", `blobs/${digest}`)).arrayBuffer())).toEqual(Buffer.from(bytes));
      const part = await ask("GET", `blobs/${digest}`, { headers: { range: "bytes=1000-1999" } });
      expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 1000-1999/3000"]);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.from(bytes.slice(1000, 2000)));
      const tail = await ask("GET", `blobs/${digest}`, { headers: { range: "bytes=2900-" } });
      expect((await tail.arrayBuffer()).byteLength).toBe(100);
      const beyond = await ask("GET", `blobs/${digest}`, { headers: { range: "bytes=4000-" } });
      expect(beyond.status).toBe(416);
    });

    test("a blob sent in chunks tells how far it came, and takes them in order only", async () => {
      const chunk = (from: number, to: number) => ({
        body: bytes.slice(from, to),
        headers: { "content-range": `${from}-${to - 1}`, "content-type": "application/octet-stream" },
      });
      const unlike = Uint8Array.from([...bytes, 1]);
      let location = await begin();
      const first = await ask("PATCH", location, chunk(0, 1000));
      expect([first.status, first.headers.get("range")]).toEqual([202, "0-999"]);
      location = new URL(first.headers.get("location") ?? "", first.url).href;
      if (registry.strict) expect((await ask("PATCH", location, chunk(2000, 3000))).status).toBe(416);
      const how = await ask("GET", location);
      expect([how.status, how.headers.get("range")]).toEqual([204, "0-999"]);
      const second = await ask(
        "PATCH",
        new URL(how.headers.get("location") ?? location, how.url).href,
        chunk(1000, 3000),
      );
      expect(second.status).toBe(202);
      location = new URL(second.headers.get("location") ?? "", second.url).href;
      const last = await ask("PUT", withDigest(location, sha(unlike)), {
        body: unlike.slice(3000),
        headers: { "content-range": "3000-3000" },
      });
      expect(last.status).toBe(201);
      expect((await ask("HEAD", `blobs/${sha(unlike)}`)).status).toBe(200);
    });

    test("bytes that are not their digest's are refused", async () => {
      const response = await ask("PUT", withDigest(await begin(), unknown), { body: bytes });
      expect([response.status, await codeOf(response)]).toEqual([400, "DIGEST_INVALID"]);
      expect((await ask("HEAD", `blobs/${unknown}`)).status).toBe(404);
    });

    test("what was never there is unknown", async () => {
      const blob = await ask("GET", `blobs/${unknown}`);
      expect([blob.status, await codeOf(blob)]).toEqual([404, "BLOB_UNKNOWN"]);
      const upload = await ask("GET", "blobs/uploads/00000000-0000-0000-0000-000000000000");
      expect(upload.status).toBe(404);
    });

    test("an upload that was given up is gone", async () => {
      const location = await begin();
      expect((await ask("DELETE", location)).status).toBe(204);
      expect((await ask("PUT", withDigest(location, sha(bytes)), { body: bytes })).status).toBe(404);
    });

    test("a blob of one repository is mounted in another without travelling; an unknown one begins an upload", async () => {
      const digest = await putBlob(bytes);
      const other = (query: string) => ask("POST", `/v2/${name}-other/blobs/uploads/?${query}`);
      const mounted = await other(`mount=${digest}&from=${name}`);
      expect(mounted.status).toBe(201);
      expect((await ask("HEAD", `/v2/${name}-other/blobs/${digest}`)).status).toBe(200);
      expect((await other(`mount=${unknown}&from=${name}`)).status).toBe(202);
    });
  });

  describe("manifests", () => {
    test("a manifest is found by tag and by digest, with its type and digest", async () => {
      const body = await makeManifest();
      const put = await putManifest("v1", body);
      expect([put.status, put.headers.get("docker-content-digest")]).toEqual([201, sha(body)]);
      for (const reference of ["v1", sha(body)]) {
        const got = await ask("GET", `manifests/${reference}`, { headers: { accept: manifestType } });
        expect([got.status, got.headers.get("content-type")]).toEqual([200, manifestType]);
        expect(got.headers.get("docker-content-digest")).toBe(sha(body));
        expect(await got.text()).toBe(body);
        const head = await ask("HEAD", `manifests/${reference}`, { headers: { accept: manifestType } });
        expect(head.headers.get("content-length")).toBe(String(body.length));
      }
    });

    test("a moved tag leaves its former manifest under the digest", async () => {
      const [before, after] = [await makeManifest(), await makeManifest()];
      await putManifest("moving", before);
      await putManifest("moving", after);
      expect(await (await ask("GET", "manifests/moving", { headers: { accept: manifestType } })).text()).toBe(after);
      expect((await ask("HEAD", `manifests/${sha(before)}`, { headers: { accept: manifestType } })).status).toBe(200);
    });

    test("an index is kept as it is, and so are the manifests it names", async () => {
      const body = await makeManifest();
      await putManifest(sha(body), body);
      const entry = {
        mediaType: manifestType,
        digest: sha(body),
        size: body.length,
        platform: { os: "linux", architecture: "amd64" },
      };
      const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [entry] });
      expect((await putManifest("many", index, indexType)).status).toBe(201);
      const got = await ask("GET", "manifests/many", { headers: { accept: indexType } });
      expect(await got.text()).toBe(index);
    });

    test.each([
      [
        "under a digest that is another's",
        async () => await putManifest(unknown, await makeManifest()),
        "DIGEST_INVALID",
      ],
      ["that is not JSON", async () => await putManifest("bad", "{"), "MANIFEST_INVALID"],
      [
        "whose layer is missing",
        async () =>
          await putManifest("bad", await makeManifest({ layers: [{ mediaType: "x", digest: unknown, size: 3 }] })),
        "MANIFEST_BLOB_UNKNOWN",
      ],
    ])("a manifest %s is refused", async (_what, put, code) => {
      const response = await put();
      expect([response.status, await codeOf(response)]).toEqual([400, code]);
    });

    test("unknown tags, digests and repositories are unknown", async () => {
      for (const reference of ["never", unknown]) {
        const response = await ask("GET", `manifests/${reference}`);
        expect([response.status, await codeOf(response)]).toEqual([404, "MANIFEST_UNKNOWN"]);
      }
      const tags = await ask("GET", "/v2/conformance/never/tags/list");
      expect([tags.status, await codeOf(tags)]).toEqual([404, "NAME_UNKNOWN"]);
    });

    test("deleting a manifest takes it and its tags away", async () => {
      const body = await makeManifest();
      await putManifest("doomed", body);
      expect((await ask("DELETE", `manifests/${sha(body)}`)).status).toBe(202);
      expect((await ask("HEAD", "manifests/doomed", { headers: { accept: manifestType } })).status).toBe(404);
      expect((await ask("HEAD", `manifests/${sha(body)}`)).status).toBe(404);
      expect((await ask("DELETE", `manifests/${sha(body)}`)).status).toBe(404);
    });

    test("tags are listed, in order", async () => {
      const body = await makeManifest();
      for (const digest of [...body.matchAll(/sha256:[0-9a-f]{64}/g)].map(([found]) => found))
        await ask("POST", `/v2/${name}-tags/blobs/uploads/?mount=${digest}&from=${name}`);
      for (const tag of ["c", "a", "b"])
        await ask("PUT", `/v2/${name}-tags/manifests/${tag}`, { body, headers: { "content-type": manifestType } });
      const list = await ask("GET", `/v2/${name}-tags/tags/list`);
      const found = (await list.json()) as { readonly name: string; readonly tags: readonly string[] };
      expect(found.name).toBe(`${name}-tags`);
      expect(registry.strict ? found.tags : found.tags.toSorted()).toEqual(["a", "b", "c"]);
    });
  });

  describe("referrers", () => {
    test("what refers to a manifest is told of, by kind too, also when the manifest comes later", async (context) => {
      context.skip(!registry.referrers, "this registry knows no referrers");
      const subject = await makeManifest();
      const about = (artifactType: string) =>
        makeManifest({
          artifactType,
          subject: { mediaType: manifestType, digest: sha(subject), size: subject.length },
          annotations: { kind: artifactType },
        });
      const [sbom, signature] = [await about("test/sbom"), await about("test/signature")];
      for (const body of [sbom, signature]) {
        const put = await putManifest(sha(body), body);
        expect(put.headers.get("oci-subject")).toBe(sha(subject));
      }
      await putManifest("subject", subject);
      const list = async (
        query = "",
      ): Promise<{ readonly digests: readonly string[]; readonly response: Response }> => {
        const response = await ask("GET", `referrers/${sha(subject)}${query}`);
        expect(response.headers.get("content-type")).toBe(indexType);
        const { manifests } = (await response.json()) as { readonly manifests: readonly { readonly digest: string }[] };
        return { digests: manifests.map((entry) => entry.digest).sort(), response };
      };
      expect((await list()).digests).toEqual([sha(sbom), sha(signature)].sort());
      const filtered = await list(`?artifactType=${encodeURIComponent("test/sbom")}`);
      expect(filtered.digests).toEqual([sha(sbom)]);
      expect(filtered.response.headers.get("oci-filters-applied")).toBe("artifactType");
      const none = await ask("GET", `referrers/${unknown}`);
      expect(await none.json()).toMatchObject({ mediaType: indexType, manifests: [] });
    });
  });
}
