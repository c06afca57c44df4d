import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseChallenge } from "./challenge.ts";
import { dockerCredentials, type Credentials } from "./credentials.ts";
import { createRegistryClient, type RegistryClient } from "./registry-client.ts";
import { retryAfterMs } from "./retry.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ebb-registry-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe("credentials", () => {
  const home = async (config: unknown, file = ".docker/config.json"): Promise<void> => {
    await mkdir(join(dir, file, ".."), { recursive: true });
    await writeFile(join(dir, file), typeof config === "string" ? config : JSON.stringify(config));
  };
  const find = async (registry: string, env: Readonly<Record<string, string>> = {}): Promise<Credentials | undefined> =>
    await dockerCredentials({ home: dir, env })(registry);
  const auth = Buffer.from("me:pass:word").toString("base64");
  const known = { kind: "password", username: "me", password: "pass:word" };

  test.each([
    ["ghcr.io", { "ghcr.io": { auth } }],
    ["ghcr.io", { "https://ghcr.io": { auth } }],
    ["docker.io", { "https://index.docker.io/v1/": { auth } }],
    ["localhost:5000", { "localhost:5000": { username: "me", password: "pass:word" } }],
  ])("of %s are found in %j", async (registry, auths) => {
    await home({ auths });
    expect(await find(registry)).toEqual(known);
    expect(await find("other.example")).toBeUndefined();
  });

  test("an identity token goes before a password; podman's file is read after docker's", async () => {
    await home({ auths: { "a.example": { auth, identitytoken: "refresh" } } });
    await home({ auths: { "b.example": { auth } } }, ".config/containers/auth.json");
    expect(await find("a.example")).toEqual({ kind: "identity-token", token: "refresh" });
    expect(await find("b.example")).toEqual(known);
  });

  test("DOCKER_CONFIG and REGISTRY_AUTH_FILE name other places", async () => {
    await home({ auths: { "a.example": { auth } } }, "elsewhere/config.json");
    expect(await find("a.example", { DOCKER_CONFIG: join(dir, "elsewhere") })).toEqual(known);
    expect(await find("a.example", { REGISTRY_AUTH_FILE: join(dir, "elsewhere/config.json") })).toEqual(known);
    expect(await find("a.example")).toBeUndefined();
  });

  test("a credential helper is run, for one registry or for all", async () => {
    const program = join(dir, "docker-credential-test");
    const answer = `read server; case "$server" in a.example) echo '{"Username":"me","Secret":"pass:word"}';; t.example) echo '{"Username":"<token>","Secret":"refresh"}';; *) echo "credentials not found in native keychain"; exit 1;; esac`;
    await writeFile(program, `#!/bin/sh\n${answer}\n`);
    await chmod(program, 0o755);
    const env = { PATH: `${dir}:/usr/bin:/bin` };
    await home({ credHelpers: { "a.example": "test" } });
    expect(await find("a.example", env)).toEqual(known);
    await home({ credsStore: "test", auths: { "a.example": {} } });
    expect(await find("a.example", env)).toEqual(known);
    expect(await find("t.example", env)).toEqual({ kind: "identity-token", token: "refresh" });
    expect(await find("none.example", env)).toBeUndefined();
    await home({ credHelpers: { "a.example": "missing" } });
    await expect(find("a.example", env)).rejects.toThrow("docker-credential-missing");
  });

  test("a config that is not JSON is named", async () => {
    await home("{ auths");
    await expect(find("a.example")).rejects.toThrow(join(dir, ".docker/config.json"));
  });
});

test.each([
  ['Basic realm="x"', { scheme: "basic" }],
  [
    'Bearer realm="https://auth.example/token?a=1",service="registry",scope="repository:a:pull,push"',
    { scheme: "bearer", realm: "https://auth.example/token?a=1", service: "registry", scope: "repository:a:pull,push" },
  ],
  ['Basic realm="x", Bearer realm="https://a.example"', { scheme: "bearer", realm: "https://a.example" }],
  ["Digest nonce=1", undefined],
  [undefined, undefined],
])("the challenge %j", (header, challenge) => {
  expect(parseChallenge(header)).toEqual(challenge);
});

test("Retry-After is seconds or a date", () => {
  expect(retryAfterMs("3", 0)).toBe(3000);
  expect(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 4000)).toBe(6000);
  expect(retryAfterMs("soon", 0)).toBeUndefined();
});

describe("a registry with a token server", () => {
  let server: Server;
  let host: string;
  let client: RegistryClient;
  let seen: string[];
  let credentials: Credentials | undefined;
  let handler: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    seen = [];
    credentials = { kind: "password", username: "me", password: "secret" };
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
      handler(request, response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = createRegistryClient({
      findCredentials: () => Promise.resolve(credentials),
      retry: { sleep: () => Promise.resolve(), random: () => 0 },
    });
  });
  afterEach(async () => {
    await client.close();
    server.close();
  });

  const ask = async (path = "team/app/manifests/v1") =>
    await client.ask({ registry: host, method: "GET", path, scope: "repository:team/app:pull", task: "pull it" });
  /** Wants `Bearer token-<n>`; the token server gives one to whoever has the password. */
  const guard = (good: () => string) => (request: IncomingMessage, response: ServerResponse) => {
    const { authorization = "" } = request.headers;
    if (request.url?.startsWith("/token")) {
      if (authorization !== `Basic ${Buffer.from("me:secret").toString("base64")}`) response.writeHead(401).end();
      else response.end(JSON.stringify({ token: good() }));
    } else if (authorization === `Bearer ${good()}`) response.end("there");
    else {
      const challenge = `Bearer realm="http://${host}/token",service="reg",scope="repository:team/app:pull"`;
      response.writeHead(401, { "www-authenticate": challenge }).end("{}");
    }
  };

  test("a token is got once, with the scope that is needed, and again when it no longer does", async () => {
    let token = "one";
    handler = guard(() => token);
    expect(await (await ask()).body.text()).toBe("there");
    await (await ask()).body.dump();
    expect(seen.filter((line) => line.includes("/token"))).toEqual([
      expect.stringContaining("GET /token?service=reg&scope=repository%3Ateam%2Fapp%3Apull "),
    ]);
    token = "two";
    await (await ask()).body.dump();
    expect(seen.filter((line) => line.includes("/token"))).toHaveLength(2);
  });

  test("wrong credentials, none, and too few rights each say what to do", async () => {
    handler = guard(() => "one");
    credentials = { kind: "password", username: "me", password: "wrong" };
    await expect(ask()).rejects.toMatchObject({ reason: "unauthorized", message: expect.stringContaining("refuses") });
    credentials = undefined;
    const anonymous = expect.stringContaining("docker login");
    await expect(ask()).rejects.toMatchObject({ reason: "unauthorized", message: anonymous });
    handler = (_request, response) =>
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"no such right"}]}');
    const denied = { reason: "denied", message: expect.stringContaining("no such right") };
    await expect(ask()).rejects.toMatchObject(denied);
  });

  test("an identity token is exchanged by POST", async () => {
    credentials = { kind: "identity-token", token: "refresh" };
    let form = "";
    handler = (request, response) => {
      if (request.url !== "/token") return guard(() => "one")(request, response);
      request.on("data", (chunk: Buffer) => (form += chunk.toString()));
      request.on("end", () => response.end(JSON.stringify({ access_token: "one" })));
    };
    await (await ask()).body.dump();
    expect(new URLSearchParams(form).get("grant_type")).toBe("refresh_token");
    expect(new URLSearchParams(form).get("refresh_token")).toBe("refresh");
    expect(new URLSearchParams(form).get("scope")).toBe("repository:team/app:pull");
  });

  test("a password goes as it is where basic authentication is asked for", async () => {
    const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    handler = (request, response) =>
      request.headers.authorization === basic
        ? response.end("there")
        : response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
    expect(await (await ask()).body.text()).toBe("there");
  });

  test("the login stays with the registry when it sends us elsewhere for a blob", async () => {
    const elsewhere: string[] = [];
    const other = createServer((request, response) => {
      elsewhere.push(request.headers.authorization ?? "-");
      response.end("bytes");
    });
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", resolve);
    });
    const to = `http://127.0.0.1:${(other.address() as AddressInfo).port}/blob`;
    const guarded = guard(() => "one");
    handler = (request, response) => {
      if (request.headers.authorization !== "Bearer one") guarded(request, response);
      else response.writeHead(307, { location: to }).end();
    };
    expect(await (await ask("team/app/blobs/x")).body.text()).toBe("bytes");
    expect(elsewhere).toEqual(["-"]);
    other.close();
  });

  test("a page of HTML in place of an answer is not quoted at length", async () => {
    handler = (_request, response) => response.writeHead(418).end("<!doctype html><html>…");
    await expect(ask()).rejects.toThrow("answered 418: a page of HTML");
  });

  test("leaving ends the request", async () => {
    handler = () => undefined;
    const stop = new AbortController();
    const asking = client.ask({
      registry: host,
      method: "GET",
      path: "x",
      scope: "",
      task: "wait",
      signal: stop.signal,
    });
    stop.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
    server.closeAllConnections();
  });
});

test("what cannot be reached is told with the host and what to do", async () => {
  const client = createRegistryClient({
    findCredentials: () => Promise.resolve(undefined),
    retry: { sleep: () => Promise.resolve(), random: () => 0 },
  });
  const ask = client.ask({ registry: "127.0.0.1:1", method: "GET", path: "x", scope: "", task: "pull x" });
  await expect(ask).rejects.toMatchObject({
    reason: "unavailable",
    message: "cannot pull x: nothing listens at 127.0.0.1:1, 3 times; check the image's name and the network",
  });
  await client.close();
});
