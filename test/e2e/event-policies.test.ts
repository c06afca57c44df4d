/** Who may send to a Broker, on a really started ebb: tokens from the API server, EventPolicies, sources of ebb's own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

const data = mkdtempSync(join(tmpdir(), "ebb-policies-"));
let ebb: EbbProcess;

const kubectl = async (args: readonly string[], stdin?: string): Promise<string> => {
  const result = await ebb.kubectl(args, stdin === undefined ? {} : { stdin });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result.stdout.trim();
};
const ready = (kind: string, name: string): Promise<void> =>
  expect
    .poll(() => kubectl(["get", kind, name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']), {
      timeout: 15_000,
    })
    .toBe("True") as Promise<void>;
const audience = "eventing.knative.dev/broker/default/b";
const tokenOf = (account: string, forWhom = audience) => kubectl(["create", "token", account, "--audience", forWhom]);
let sent = 0;
const send = async (token: string | undefined, type = "order"): Promise<number> => {
  const { status } = await ebb.call("broker-ingress.knative-eventing.localhost", {
    method: "POST",
    path: "/default/b",
    headers: {
      "ce-specversion": "1.0",
      "ce-id": String((sent += 1)),
      "ce-source": "/me",
      "ce-type": type,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  });
  return status;
};

beforeAll(async () => {
  ebb = await startEbb({ dir: data });
  await kubectl(["create", "serviceaccount", "ada"]);
  await kubectl(["create", "namespace", "other"]);
  await kubectl(["create", "serviceaccount", "eve", "-n", "other"]);
  await kubectl(
    ["apply", "-f", "-"],
    "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: { name: b, namespace: default }\n",
  );
}, 60_000);
afterAll(async () => {
  await ebb.stop();
  rmSync(data, { recursive: true });
});

test("everybody may send while authentication is off", async () => {
  await ready("broker", "b");
  expect(await send(undefined)).toBe(202);
});

test(
  "with authentication a token for the Broker's audience is needed, of an account of its namespace",
  { timeout: 40_000 },
  async () => {
    await kubectl([
      "patch",
      "configmap",
      "config-features",
      "-n",
      "knative-eventing",
      "--type",
      "merge",
      "-p",
      '{"data":{"authentication-oidc":"enabled"}}',
    ]);
    await expect
      .poll(() => kubectl(["get", "broker", "b", "-o", "jsonpath={.status.address.audience}"]), { timeout: 10_000 })
      .toBe(audience);
    await expect.poll(() => send(undefined)).toBe(401);
    expect(await send("nonsense")).toBe(401);
    expect(await send(await tokenOf("ada", "somebody else"))).toBe(401);
    expect(await send(await tokenOf("ada"))).toBe(202);
    const eve = await kubectl(["create", "token", "eve", "-n", "other", "--audience", audience]);
    expect(await send(eve)).toBe(403);
  },
);

test(
  "a policy says who may send what; a source of ebb's own sends with an account of its own",
  { timeout: 60_000 },
  async () => {
    await kubectl(
      ["apply", "-f", "-"],
      `apiVersion: eventing.knative.dev/v1alpha1
kind: EventPolicy
metadata: { name: p, namespace: default }
spec:
  to: [{ ref: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: b } }]
  from:
    - sub: "system:serviceaccount:other:*"
    - ref: { apiVersion: sources.knative.dev/v1, kind: PingSource, name: ping, namespace: default }
  filters: [{ cesql: "type LIKE 'order%' OR type LIKE 'dev.knative%'" }]
---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: { name: ping, namespace: default }
spec:
  schedule: "* * * * * *"
  data: hi
  sink: { ref: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: b } }
`,
    );
    await ready("eventpolicy", "p");
    await ready("broker", "b");
    expect(await kubectl(["get", "broker", "b", "-o", "jsonpath={.status.policies[*].name}"])).toBe("p");
    const eve = await kubectl(["create", "token", "eve", "-n", "other", "--audience", audience]);
    await expect.poll(() => send(eve)).toBe(202);
    expect(await send(eve, "secret")).toBe(403);
    expect(await send(await tokenOf("ada"))).toBe(403);
    const pings = async () => (await ebb.ebb("events", "tail", "b", "--type", "dev.knative.sources.ping")).stdout;
    await expect.poll(pings, { timeout: 20_000 }).toContain("pingsources/ping");
    const account = await kubectl(["get", "pingsource", "ping", "-o", "jsonpath={.status.auth.serviceAccountName}"]);
    expect(account).toBe("ping-oidc-sources.knative.dev-pingsource");
  },
);
