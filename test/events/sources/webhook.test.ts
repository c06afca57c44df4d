import { createHmac } from "node:crypto";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createWebhookFront, type WebhookFront } from "../../../src/events/sources/webhook/webhook-front.ts";
import { createSourceBench, log, until, type SourceBench } from "./source-bench.ts";

let front: WebhookFront;
let bench: SourceBench;
let port = 0;
const hosts = new Set<string>();

beforeEach(async () => {
  front = createWebhookFront({
    log,
    listen: { host: "127.0.0.1", port: 0 },
    onListening: (at) => (port = at.port),
    onHost: (host, present) => void (present ? hosts.add(host) : hosts.delete(host)),
    urlOf: (host) => `http://${host}.example`,
  });
  bench = await createSourceBench({ webhooks: front });
});
afterEach(async () => {
  await bench.close();
  await front.close();
});

const open = async (kind: string, settings: object) => {
  const spec = bench.spec(kind, settings);
  bench.runner.setSource(spec);
  await until(
    () => bench.runner.sourceState(spec.key),
    (state) => state?.connected === true || state?.trouble !== undefined,
    "state",
  );
  return spec;
};
interface Told {
  readonly status: number;
  readonly text: string;
}
/** As a provider: with the host as it was told. */
const post = (body: string, headers: object = {}, more: object = {}): Promise<Told> =>
  new Promise((resolve, reject) => {
    const given = { host: "s-webhook.default.example:8080", ...headers };
    const sent = httpRequest({ port, method: "POST", headers: given, ...more }, (response: IncomingMessage) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
const signed = (secret: string, body: string): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

describe("a WebhookSource", () => {
  const verify = { scheme: "github", secret: "hush" };

  test("answers 202 when the sink has it, as an event named as the provider names it", async () => {
    const spec = await open("WebhookSource", { verify });
    expect(bench.runner.sourceState(spec.key)?.facts).toEqual({ "webhook.url": "http://s-webhook.default.example" });
    expect([...hosts]).toEqual(["s-webhook.default"]);
    const body = '{"n":1.0}';
    const headers = {
      "X-Hub-Signature-256": signed("hush", body),
      "X-GitHub-Event": "push",
      "X-GitHub-Delivery": "d1",
    };
    expect((await post(body, { ...headers, "content-type": "application/json" })).status).toBe(202);
    expect(bench.received[0]).toMatchObject({
      body,
      headers: {
        "ce-id": "d1",
        "ce-type": "dev.ebb.sources.webhook.github.push",
        "ce-source": "/sources/webhooksource",
        "content-type": "application/json",
      },
    });
    await bench.runner.removeSource(spec.key, spec.uid);
    expect([...hosts]).toEqual([]);
    expect((await post(body, headers)).status).toBe(404);
  });

  test("refuses what is not signed, too large, or not sent with POST; the sink hears nothing of it", async () => {
    await open("WebhookSource", { verify, maxBytes: 10 });
    expect(await post("x")).toEqual({ status: 401, text: "its signature is missing or not understood" });
    expect((await post("x", { "x-hub-signature-256": signed("other", "x") })).status).toBe(401);
    expect((await post("x".repeat(11))).status).toBe(413);
    expect((await post("", {}, { method: "GET" })).status).toBe(405);
    expect((await post("x", { host: "other-webhook.default" })).status).toBe(404);
    expect(bench.received).toEqual([]);
  });

  test("answers 503 when the sink does not take it, so that the provider sends it again", async () => {
    bench.answer = () => 500;
    await open("WebhookSource", { verify: { scheme: "none" } });
    expect(await post("x")).toEqual({ status: 503, text: "nobody has taken it: send it again" });
    bench.answer = () => 204;
    expect((await post("x")).status).toBe(202);
  });

  test.each<[string, object, string, object, object]>([
    [
      "Stripe",
      { scheme: "stripe", secret: "s" },
      '{"id":"evt_1","type":"charge.paid"}',
      { "ce-id": "evt_1", "ce-type": "dev.ebb.sources.webhook.stripe.charge.paid" },
      {},
    ],
    [
      "GitLab",
      { scheme: "gitlab", secret: "s" },
      "{}",
      { "ce-id": "k1", "ce-type": "dev.ebb.sources.webhook.gitlab.push_hook" },
      { "x-gitlab-token": "s", "x-gitlab-event": "Push Hook", "idempotency-key": "k1" },
    ],
    [
      "an own header",
      { scheme: "token", secret: "s", header: "X-Token" },
      "a=b",
      { "ce-id": "9", "ce-type": "shop.paid", "content-type": "application/x-www-form-urlencoded" },
      { "x-token": "s", "x-what": "paid", "x-id": "9", "content-type": "application/x-www-form-urlencoded" },
    ],
  ])("%s: type and id are what the provider says", async (_, verification, body, wanted, headers) => {
    const own = { eventType: "shop", eventTypeHeader: "X-What", idHeader: "X-Id" };
    const at = Math.floor(Date.now() / 1000);
    const stripe = `t=${at},v1=${createHmac("sha256", "s").update(`${at}.${body}`).digest("hex")}`;
    await open("WebhookSource", { verify: verification, ...("header" in verification ? own : {}) });
    expect((await post(body, { "stripe-signature": stripe, ...headers })).status).toBe(202);
    expect(bench.received[0]?.headers).toMatchObject(wanted);
  });

  test("answers Slack's challenge, which must be signed too", async () => {
    await open("WebhookSource", { verify: { scheme: "slack", secret: "s" } });
    const body = '{"type":"url_verification","challenge":"abc"}';
    const at = String(Math.floor(Date.now() / 1000));
    const signature = `v0=${createHmac("sha256", "s").update(`v0:${at}:${body}`).digest("hex")}`;
    const headers = { "x-slack-request-timestamp": at, "x-slack-signature": signature };
    expect(await post(body, headers)).toEqual({ status: 200, text: "abc" });
    expect((await post(body)).status).toBe(401);
    expect(bench.received).toEqual([]);
  });

  test("says that its secret is empty", async () => {
    const spec = await open("WebhookSource", { verify: { scheme: "github", secret: "" } });
    expect(bench.runner.sourceState(spec.key)?.trouble).toBe("the secret is empty: anybody could sign with it");
  });
});

describe("a GitHubSource", () => {
  const settings = { ownerAndRepository: "octo/hello", eventTypes: ["push", "issues"], secretToken: "hush" };
  const send = (type: string, body: string) =>
    post(body, {
      "x-hub-signature-256": signed("hush", body),
      "x-github-event": type,
      "x-github-delivery": `d-${type}`,
    });

  test("sends events as upstream does, of the wanted types alone", async () => {
    await open("GitHubSource", settings);
    const repository = { name: "hello", owner: { login: "octo" } };
    const issue = JSON.stringify({ action: "opened", issue: { number: 7 }, repository, sender: { login: "ada" } });
    expect((await send("issues", issue)).status).toBe(202);
    expect((await send("ping", '{"hook_id":1}')).status).toBe(202);
    const compare = "https://github.com/octo/hello/compare/aaa...bbb";
    expect((await send("push", JSON.stringify({ compare, ref: "refs/heads/main", forced: false }))).status).toBe(202);
    expect(bench.received).toHaveLength(2);
    expect(bench.received[0]).toMatchObject({
      body: issue,
      headers: {
        "ce-id": "d-issues",
        "ce-type": "dev.knative.source.github.issues",
        "ce-subject": "7",
        "ce-owner": "octo",
        "ce-repository": "hello",
        "ce-sender": "ada",
        "ce-action": "opened",
      },
    });
    expect(bench.received[1]?.headers).toMatchObject({
      "ce-subject": "aaa...bbb",
      "ce-ref": "refs/heads/main",
      "ce-forced": "false",
    });
  });

  test("makes its webhook at GitHub, finds it again, and removes it when it is forgotten", async () => {
    const hooks = new Map<number, { id: number; config: { url: string } }>();
    const asked: string[] = [];
    const api = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => (text += String(chunk)));
      request.on("end", () => {
        asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
        if (request.headers.authorization !== "Bearer token") return response.writeHead(401).end("{}");
        if (request.method === "DELETE") {
          hooks.delete(Number(request.url?.split("/").at(-1)));
          return response.writeHead(204).end();
        }
        if (request.method === "GET") return response.end(JSON.stringify([...hooks.values()]));
        const hook = { id: 42, ...(JSON.parse(text) as { config: { url: string } }) };
        hooks.set(42, hook);
        return response.end(JSON.stringify(hook));
      });
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    const githubAPIURL = `http://127.0.0.1:${(api.address() as AddressInfo).port}/api/v3`;
    try {
      const spec = await open("GitHubSource", { ...settings, githubAPIURL, accessToken: "token", secure: true });
      expect(bench.runner.sourceState(spec.key)?.facts?.["webhook.id"]).toBe("42");
      expect(hooks.get(42)).toMatchObject({
        events: ["push", "issues"],
        config: { url: "https://s-webhook.default.example", secret: "hush", content_type: "json" },
      });
      await bench.runner.removeSource(spec.key, spec.uid);
      await open("GitHubSource", { ...settings, githubAPIURL, accessToken: "token", secure: true });
      expect(asked.at(-1)).toBe("PATCH /api/v3/repos/octo/hello/hooks/42 Bearer token");
      await bench.runner.removeSource(spec.key, spec.uid, { forget: true });
      expect(hooks.size).toBe(0);
      await open("GitHubSource", { ...settings, githubAPIURL, accessToken: "wrong" });
      expect(bench.runner.sourceState(spec.key)?.trouble).toMatch(/^GitHub refused the token in spec\.accessToken/);
    } finally {
      api.closeAllConnections();
      api.close();
    }
  });
});
