import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { builtinDefinitions } from "../../src/api/definitions.ts";
import { ConfigMapKind, NamespaceKind, NodeKind, PodKind } from "../../src/api/core/kinds.ts";
import { isApiError, isConflict, isExpired, isNotFound } from "../../src/api/meta/errors.ts";
import { createApiServer, type ApiServer } from "../../src/apiserver/server.ts";
import { createHttpClient, type HttpClient } from "../../src/client/http-client.ts";
import { ManualClock } from "../../src/client/manual-clock.ts";
import { createInformers } from "../../src/client/create-informers.ts";
import { loadKubeconfig, type ConnectionConfig } from "../../src/client/kubeconfig.ts";
import { silentLogger as log } from "../silent-logger.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const directory = (): string => {
  const made = mkdtempSync(join(tmpdir(), "ebb-client-"));
  closers.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

async function until(holds: () => boolean, what: string, show: () => unknown): Promise<void> {
  const untilMs = performance.now() + 8000;
  while (!holds()) {
    if (performance.now() > untilMs) throw new Error(`waited for ${what}; last saw ${JSON.stringify(show())}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

interface Running {
  readonly server: ApiServer;
  readonly port: number;
}

async function startServer(dataDir: string, port = 0): Promise<Running> {
  const server = createApiServer({ dataDir, definitions: builtinDefinitions }, { log, now: () => Date.now() });
  closers.push(() => server.close());
  return { server, port: await server.listen({ host: "127.0.0.1", port }) };
}

async function connect({ server, port }: Running): Promise<HttpClient> {
  const file = join(directory(), "kubeconfig");
  writeFileSync(file, server.kubeconfig(`https://127.0.0.1:${port}`));
  const client = createHttpClient(await loadKubeconfig(file, undefined, {}), { userAgent: "test" });
  closers.push(() => client.close());
  return client;
}

describe("against the API server", () => {
  test("objects are made, read, listed, changed and deleted, and failures come as ApiErrors", async () => {
    const client = await connect(await startServer(":memory:"));
    const key = { namespace: "default", name: "a" };
    const made = await client.create(ConfigMapKind, { metadata: key, data: { k: "1" } });
    expect(made.metadata.uid).toBeDefined();
    expect(await client.get(ConfigMapKind, key)).toEqual(made);
    const patched = await client.patch(ConfigMapKind, key, { type: "merge", body: { data: { k: "2" } } });
    expect(patched.data).toEqual({ k: "2" });
    await expect(client.update(ConfigMapKind, { ...made, data: {} })).rejects.toSatisfy(isConflict);
    const { items } = await client.list(ConfigMapKind, { namespace: "default", fieldSelector: "metadata.name=a" });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
    await client.delete(ConfigMapKind, key);
    await expect(client.get(ConfigMapKind, key)).rejects.toSatisfy(isNotFound);
  });

  test("a pod is bound and a namespace finalized through their subresources", async () => {
    const client = await connect(await startServer(":memory:"));
    await client.create(NodeKind, { metadata: { name: "n" } });
    const pod = await client.create(PodKind, {
      metadata: { name: "p", namespace: "default" },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
    const bound = await client.update(
      PodKind,
      { ...pod, spec: { ...pod.spec, nodeName: "n" } },
      { subresource: "binding" },
    );
    expect(bound.spec.nodeName).toBe("n");
    const namespace = await client.create(NamespaceKind, { metadata: { name: "team" } });
    await client.delete(NamespaceKind, { name: "team" });
    await client.update(
      NamespaceKind,
      { ...namespace, metadata: { name: "team" }, spec: { finalizers: [] } },
      { subresource: "finalize" },
    );
    await expect(client.get(NamespaceKind, { name: "team" })).rejects.toSatisfy(isNotFound);
  });

  test("an informer follows over a restart of the server without losing or repeating a change", async () => {
    const dataDir = directory();
    const first = await startServer(dataDir);
    const client = await connect(first);
    const informers = createInformers(client, { log });
    closers.push(() => informers.close());
    const seen: string[] = [];
    informers.of(ConfigMapKind).onChange(({ type, object: { metadata, data } }) => {
      if (data?.["k"]) seen.push(`${type} ${metadata.name} ${data?.["k"]}`);
    });
    await informers.synced(AbortSignal.timeout(5000));
    const put = (server: ApiServer, name: string, k: string) =>
      server.api.create(ConfigMapKind, { metadata: { name, namespace: "default" }, data: { k } });
    await put(first.server, "a", "1");
    await until(
      () => seen.length === 1,
      "the first object",
      () => seen,
    );
    await first.server.close();
    const second = await startServer(dataDir, first.port);
    await put(second.server, "b", "1");
    await second.server.api.delete(ConfigMapKind, { namespace: "default", name: "a" });
    await until(
      () => seen.length >= 3,
      "what happened meanwhile",
      () => seen,
    );
    expect([...seen].sort()).toEqual(["added a 1", "added b 1", "deleted a 1"]);
  });

  test("a server that is not there is a 503 that says where it should be", async () => {
    const client = createHttpClient({ server: "https://127.0.0.1:1", namespace: "default" }, { userAgent: "test" });
    await expect(client.list(PodKind)).rejects.toThrow("cannot reach the API server at https://127.0.0.1:1");
    await expect(client.list(PodKind)).rejects.toSatisfy((error) => isApiError(error) && error.code === 503);
    await client.close();
  });
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that gives scripted answers, one per request, the last again and again. */
async function scripted(
  ...answers: readonly Answer[]
): Promise<{ config: ConnectionConfig; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    answers[Math.min(requests.length, answers.length) - 1]?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { config: { server: `http://127.0.0.1:${port}/prefix/`, namespace: "default" }, requests };
}

const reply =
  (code: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
const status = (code: number, reason: string) => ({ kind: "Status", status: "Failure", code, reason, message: reason });
const list = (resourceVersion: string) => ({ metadata: { resourceVersion }, items: [] });

function open(config: ConnectionConfig, watchSilenceMs?: number): HttpClient {
  const client = createHttpClient(config, { userAgent: "test", ...(watchSilenceMs ? { watchSilenceMs } : {}) });
  closers.push(() => client.close());
  return client;
}

describe("against a server that misbehaves", () => {
  test("a busy server is asked again after what it says", async () => {
    const busy = reply(429, status(429, "TooManyRequests"), { "retry-after": "0" });
    const { config, requests } = await scripted(busy, busy, reply(200, list("7")));
    expect((await open(config).list(PodKind)).metadata.resourceVersion).toBe("7");
    expect(requests.map(({ url }) => url)).toEqual(Array(3).fill("/prefix/api/v1/pods"));
  });

  test("one that stays busy is an error in the end", async () => {
    const { config, requests } = await scripted(reply(429, status(429, "TooManyRequests"), { "retry-after": "0" }));
    await expect(open(config).list(PodKind)).rejects.toThrow("TooManyRequests");
    expect(requests).toHaveLength(6);
  });

  test("a token that is refused is renewed once", async () => {
    const { config, requests } = await scripted(reply(401, status(401, "Unauthorized")), reply(200, list("1")));
    let given = 1;
    const renewal = { renew: async () => ({ value: `t${++given}` }) };
    await open({ ...config, token: { value: "t1" }, renewal }).list(PodKind);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer t1", "Bearer t2"]);
  });

  test("a token near its end is renewed before it is used", async () => {
    const { config, requests } = await scripted(reply(200, list("1")));
    const renewal = { renew: async () => ({ value: "new", expiresAtMs: Date.now() + 3_600_000 }) };
    await open({ ...config, token: { value: "old", expiresAtMs: Date.now() + 1000 }, renewal }).list(PodKind);
    expect(requests[0]?.headers.authorization).toBe("Bearer new");
  });

  test("an answer that is no Status keeps its code and text", async () => {
    const { config } = await scripted((_, response) => response.writeHead(502).end("<h1>bad gateway</h1>"));
    await expect(open(config).list(PodKind)).rejects.toThrow("the server answered 502: <h1>bad gateway</h1>");
  });

  test("a watch yields events split over chunks, and an ERROR event is thrown", async () => {
    const event = JSON.stringify({ type: "ADDED", object: { metadata: { name: "ü", resourceVersion: "2" } } });
    const gone = JSON.stringify({ type: "ERROR", object: status(410, "Expired") });
    const bytes = Buffer.from(`${event}\n${gone}\n`);
    const { config } = await scripted((_, response) => {
      response.writeHead(200);
      let at = 0;
      const send = (): void => {
        response.write(bytes.subarray(at, at + 7));
        at += 7;
        if (at < bytes.length) setImmediate(send);
        else response.end();
      };
      send();
    });
    const names: string[] = [];
    const watch = async (): Promise<void> => {
      for await (const seen of open(config).watch(PodKind, { signal: AbortSignal.timeout(5000) })) {
        if (seen.type !== "BOOKMARK") names.push(seen.object.metadata.name);
      }
    };
    await expect(watch()).rejects.toSatisfy(isExpired);
    expect(names).toEqual(["ü"]);
  });

  test("a watch over which nothing comes is given up", async () => {
    const { config } = await scripted((_, response) => {
      response.writeHead(200);
      response.flushHeaders();
    });
    const watch = async (): Promise<void> => {
      for await (const seen of open(config, 50).watch(PodKind, { signal: AbortSignal.timeout(5000) })) void seen;
    };
    await expect(watch()).rejects.toThrow("nothing came over the watch of pods for 50 ms");
  });

  test("an informer lists where the server cannot send initial events, and lists again when it fell behind", async () => {
    const asked: string[] = [];
    const pod = (name: string, resourceVersion: string) => ({
      metadata: { name, namespace: "d", uid: name, resourceVersion },
    });
    let lists = 0;
    const answer: Answer = ({ url = "" }, response) => {
      const query = new URL(url, "http://x").searchParams;
      if (query.get("sendInitialEvents")) return reply(422, status(422, "Invalid"))({} as IncomingMessage, response);
      if (!query.get("watch")) {
        asked.push("list");
        const items = lists++ === 0 ? [pod("a", "1"), pod("b", "1")] : [pod("b", "5")];
        return reply(200, { metadata: { resourceVersion: lists === 1 ? "1" : "5" }, items })(
          {} as IncomingMessage,
          response,
        );
      }
      asked.push(`watch ${query.get("resourceVersion")}`);
      response.writeHead(200);
      if (query.get("resourceVersion") === "1")
        response.end(`${JSON.stringify({ type: "ERROR", object: status(410, "Expired") })}\n`);
      else response.flushHeaders();
    };
    const { config } = await scripted(answer);
    const informers = createInformers(open(config), { log });
    closers.push(() => informers.close());
    const seen: string[] = [];
    informers.of(PodKind).onChange(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
    await until(
      () => asked.length === 4,
      "a second list and watch",
      () => asked,
    );
    expect(asked).toEqual(["list", "watch 1", "list", "watch 5"]);
    expect(seen).toEqual(["added a", "added b", "deleted a", "modified b"]);
  });
});

test("an informer that falls behind again and again waits longer each time", async () => {
  const asked: string[] = [];
  const { config } = await scripted(({ url = "" }, response) => {
    const query = new URL(url, "http://x").searchParams;
    if (query.get("sendInitialEvents")) return reply(400, status(400, "BadRequest"))({} as IncomingMessage, response);
    asked.push(query.get("watch") ? "watch" : "list");
    if (!query.get("watch")) return reply(200, list("1"))({} as IncomingMessage, response);
    response.writeHead(200).end(`${JSON.stringify({ type: "ERROR", object: status(410, "Expired") })}\n`);
  });
  const clock = new ManualClock();
  const informers = createInformers(open(config), { log, clock });
  closers.push(() => informers.close());
  informers.of(PodKind);
  for (const [round, waitMs] of [0, 100, 200, 400].entries()) {
    await clock.advance(waitMs);
    const wanted = 4 + 2 * round;
    await until(
      () => asked.length === wanted && clock.pending === 1,
      `${wanted} requests and a wait`,
      () => asked,
    );
  }
});

test("more objects than a watch may hold unread are an informer's first state all the same", async () => {
  const server = createApiServer(
    { dataDir: ":memory:", definitions: builtinDefinitions },
    { log, now: () => Date.now() },
  );
  closers.push(() => server.close());
  const count = 10_500;
  for (let i = 0; i < count; i++) {
    await server.api.create(ConfigMapKind, { metadata: { name: `c${i}`, namespace: "default" }, data: { k: "1" } });
  }
  const informers = createInformers(server.api, { log });
  closers.push(() => informers.close());
  const maps = informers.of(ConfigMapKind);
  await informers.synced(AbortSignal.timeout(5000));
  expect(maps.list("default").filter(({ data }) => data?.["k"])).toHaveLength(count);
});

describe("kubeconfig", () => {
  const write = (dir: string, name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };
  const config = (extra: string): string =>
    `contexts: [{name: c, context: {cluster: k, user: u, namespace: team}}]\nclusters: [{name: k, cluster: {server: "https://x:1"}}]\ncurrent-context: c\n${extra}`;

  test("files named in it are found beside it, and a token file is read again", async () => {
    const dir = directory();
    write(dir, "token", "first\n");
    const file = write(dir, "config", config("users: [{name: u, user: {tokenFile: token}}]"));
    const loaded = await loadKubeconfig(file, undefined, {});
    expect(loaded).toMatchObject({ server: "https://x:1", namespace: "team", token: { value: "first" } });
    write(dir, "token", "second");
    expect(await loaded.renewal?.renew()).toEqual({ value: "second" });
  });

  test("a plugin is run with its variables, and its failure names it and how to get it", async () => {
    const dir = directory();
    const script = write(
      dir,
      "plugin.mjs",
      `console.log(JSON.stringify({status: {token: process.env.SALT + JSON.parse(process.env.KUBERNETES_EXEC_INFO).kind, expirationTimestamp: "2030-01-01T00:00:00Z"}}))`,
    );
    const plugin = (command: string): string =>
      config(
        `users: [{name: u, user: {exec: {command: ${JSON.stringify(command)}, args: [${JSON.stringify(script)}], env: [{name: SALT, value: s-}], installHint: "get it at example.test"}}}]`,
      );
    const loaded = await loadKubeconfig(write(dir, "good", plugin(process.execPath)), undefined, {
      PATH: process.env["PATH"],
    });
    expect(loaded.token).toEqual({ value: "s-ExecCredential", expiresAtMs: Date.parse("2030-01-01T00:00:00Z") });
    const bad = write(dir, "bad", plugin("no-such-plugin"));
    await expect(loadKubeconfig(bad, undefined, {})).rejects.toThrow(
      /"no-such-plugin" failed: .*get it at example\.test/,
    );
  });

  test("of several files the first that has a name counts", async () => {
    const dir = directory();
    const first = write(dir, "a", "users: [{name: u, user: {token: mine}}]\n");
    const second = write(dir, "b", config("users: [{name: u, user: {token: other}}]"));
    expect(await loadKubeconfig([first, second], undefined, {})).toMatchObject({
      token: { value: "mine" },
      server: "https://x:1",
    });
  });

  test.each([
    ["no file", undefined, undefined, /cannot read kubeconfig .*: ENOENT/],
    ["no YAML", "a: [", undefined, /is no YAML/],
    ["no such context", config(""), "other", /has no context "other"; it has c/],
    ["no such user", config(""), undefined, /has no user "u"; it has none/],
    ["no context chosen", "contexts: []", undefined, /has no current context; choose one with --context/],
  ])("%s is said so", async (_, text, context, message) => {
    const dir = directory();
    const file = text === undefined ? join(dir, "missing") : write(dir, "config", text);
    await expect(loadKubeconfig(file, context, {})).rejects.toThrow(message);
  });
});

test("a client bound to leadership sends nothing more once that is over, and says why", async () => {
  const running = await startServer(":memory:");
  const client = await connect(running);
  const leading = new AbortController();
  const bound = client.until(leading.signal);
  const map = (name: string) => ({ metadata: { name, namespace: "default" } });
  await bound.create(ConfigMapKind, map("before"));
  leading.abort(new Error("somebody else leads"));
  await expect(bound.create(ConfigMapKind, map("after"))).rejects.toThrow("somebody else leads");
  const { items } = await client.list(ConfigMapKind, { namespace: "default" });
  expect(items.map(({ metadata }) => metadata.name)).not.toContain("after");
  expect(items.map(({ metadata }) => metadata.name)).toContain("before");
});
