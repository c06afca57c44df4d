/** EventPolicies and identities on the real API server in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigMapKind, NamespaceKind, ServiceAccountKind } from "../../src/api/core/kinds.ts";
import { BrokerKind, EventPolicyKind, TriggerKind } from "../../src/api/eventing/kinds.ts";
import { SequenceKind } from "../../src/api/flows/kinds.ts";
import { ChannelKind } from "../../src/api/messaging/kinds.ts";
import type { Kind } from "../../src/api/meta/kind.ts";
import type { KubeObject } from "../../src/api/meta/object.ts";
import { JobSinkKind } from "../../src/api/sinks/kinds.ts";
import { PingSourceKind } from "../../src/api/sources/kinds.ts";
import { createEventingPlane, namespace, told, until, type EventingPlane, type Judged } from "./eventing-plane.ts";

let plane: EventingPlane;
const features = { name: "config-features", namespace: "knative-eventing" };
beforeEach(async () => {
  plane = await createEventingPlane();
  await plane.client.create(NamespaceKind, { metadata: { name: "knative-eventing" } });
  await plane.client.create(ConfigMapKind, { metadata: features, data: { "authentication-oidc": "enabled" } });
});
afterEach(() => plane.close());

const create = <T extends KubeObject>(kind: Kind<T>, name: string, spec: object, labels: object = {}): Promise<T> =>
  plane.client.create(kind, { metadata: { name, namespace, labels }, spec } as never);
const get = <T extends KubeObject>(kind: Kind<T>, name: string): Promise<T> =>
  plane.client.get(kind, { namespace, name });
const condition = <T extends Judged>(kind: Kind<T>, name: string, type: string, wanted: string): Promise<T> =>
  until(
    () => get(kind, name),
    (object) => told(object, type) === wanted,
    `${type} ${wanted} of ${name}`,
  );
const accessTo = (key: string) => plane.streams.get(key)?.access;
const broker = { apiVersion: "eventing.knative.dev/v1", kind: "Broker" };

describe("an EventPolicy", () => {
  test("holds for what its `to` names, with its senders by name", async () => {
    await create(BrokerKind, "a", {}, { team: "x" });
    await create(BrokerKind, "b", {});
    await condition(BrokerKind, "a", "EventPoliciesReady", "True DefaultAuthorizationMode");
    expect(accessTo("broker/default/a")).toEqual({
      audience: "eventing.knative.dev/broker/default/a",
      namespace,
      mode: "allow-same-namespace",
      policies: [],
    });
    const { status } = await get(BrokerKind, "a");
    expect(status?.address).toMatchObject({ audience: "eventing.knative.dev/broker/default/a" });

    const filters = [{ prefix: { type: "order." } }];
    await create(EventPolicyKind, "by-ref", {
      to: [{ ref: { ...broker, name: "a" } }],
      from: [{ sub: "ada" }, { sub: "team:*" }],
      filters,
    });
    await condition(EventPolicyKind, "by-ref", "Ready", "True");
    expect((await get(EventPolicyKind, "by-ref")).status?.from).toEqual(["ada", "team:*"]);
    await until(
      () => accessTo("broker/default/a")?.policies,
      (all) => all?.length === 1,
      "a policy",
    );
    await until(
      () => accessTo("broker/default/a")?.policies[0]?.subjects.length,
      (count) => count === 2,
      "its subjects",
    );
    expect(accessTo("broker/default/a")).toMatchObject({
      mode: "deny-all",
      policies: [{ subjects: ["ada", "team:*"], filters }],
    });
    expect(accessTo("broker/default/b")?.policies).toEqual([]);
    const { status: applied } = await until(
      () => get(BrokerKind, "a"),
      (object) => object.status?.policies?.length === 1,
      "the policy in the status",
    );
    expect(applied?.policies).toEqual([{ apiVersion: "eventing.knative.dev/v1alpha1", name: "by-ref" }]);

    await create(EventPolicyKind, "by-label", {
      to: [{ selector: { ...broker, matchLabels: { team: "x" } } }],
      from: [{ sub: "eve" }],
    });
    await until(
      () => accessTo("broker/default/a")?.policies.length,
      (count) => count === 2,
      "both policies",
    );
    await plane.client.delete(EventPolicyKind, { namespace, name: "by-ref" });
    await plane.client.delete(EventPolicyKind, { namespace, name: "by-label" });
    await until(
      () => accessTo("broker/default/a")?.mode,
      (mode) => mode === "allow-same-namespace",
      "the default again",
    );
  });

  test("without `to` holds for everything in its namespace, and resolves senders that are objects", async () => {
    await create(BrokerKind, "a", {});
    const ref = { apiVersion: "sources.knative.dev/v1", kind: "PingSource", name: "p" };
    await create(EventPolicyKind, "all", { from: [{ ref }] });
    await condition(EventPolicyKind, "all", "SubjectsResolved", "False SubjectsNotResolved");
    await condition(BrokerKind, "a", "EventPoliciesReady", "False EventPoliciesNotReady");
    // What cannot be resolved yet lets nobody in.
    expect(accessTo("broker/default/a")).toMatchObject({ mode: "deny-all", policies: [{ subjects: [] }] });
    await create(PingSourceKind, "p", { sink: { ref: { ...broker, name: "a" } } });
    await condition(PingSourceKind, "p", "Ready", "True");
    const subject = "system:serviceaccount:default:p-oidc-sources.knative.dev-pingsource";
    await until(
      () => accessTo("broker/default/a")?.policies[0]?.subjects,
      (all) => all?.[0] === subject,
      "the source's account",
    );
    await condition(BrokerKind, "a", "Ready", "True");
    const job = { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } } };
    await create(JobSinkKind, "j", { job });
    await condition(JobSinkKind, "j", "Ready", "True");
    expect(plane.sinks.get("job-sink/default/j")?.access?.policies).toEqual([{ subjects: [subject], filters: [] }]);
  });

  test("of a Channel or a Sequence holds where its events come in; inside, its own Subscriptions may send", async () => {
    await create(ChannelKind, "c", {});
    const steps = [{ uri: "http://one.example" }, { uri: "http://two.example" }];
    await create(SequenceKind, "s", { steps });
    const to = [
      { ref: { apiVersion: "messaging.knative.dev/v1", kind: "Channel", name: "c" } },
      { ref: { apiVersion: "flows.knative.dev/v1", kind: "Sequence", name: "s" } },
    ];
    await create(EventPolicyKind, "p", { to, from: [{ sub: "ada" }] });
    const subjects = (key: string) => accessTo(key)?.policies.map((policy) => policy.subjects);
    await until(
      () => subjects("channel/default/c"),
      (all) => all?.[0]?.[0] === "ada",
      "the Channel's policy",
    );
    await until(
      () => subjects("channel/default/s-kn-sequence-0"),
      (all) => all?.[0]?.[0] === "ada",
      "the Sequence's policy",
    );
    const own = [0, 1].map(
      (i) => `system:serviceaccount:default:s-kn-sequence-${i}-oidc-messaging.knative.dev-subscription`,
    );
    await until(
      () => subjects("channel/default/s-kn-sequence-1"),
      (all) => JSON.stringify(all) === JSON.stringify([own]),
      "the Sequence's own senders",
    );
    await condition(SequenceKind, "s", "Ready", "True");
  });

  test("is told apart from an authentication that is off", async () => {
    await create(BrokerKind, "a", {});
    await create(EventPolicyKind, "p", { from: [{ sub: "ada" }] });
    await condition(EventPolicyKind, "p", "Ready", "True");
    const map = await plane.client.get(ConfigMapKind, features);
    await plane.client.update(ConfigMapKind, { ...map, data: {} });
    await condition(EventPolicyKind, "p", "AuthenticationEnabled", "False OIDCAuthenticationDisabled");
    await condition(BrokerKind, "a", "EventPoliciesReady", "True OIDCDisabled");
    expect(accessTo("broker/default/a")).toBeUndefined();
    expect((await get(BrokerKind, "a")).status?.address).not.toHaveProperty("audience");
  });
});

describe("who sends", () => {
  test("has an account, which its targets are told", async () => {
    await create(BrokerKind, "a", {});
    await create(TriggerKind, "t", { broker: "a", subscriber: { ref: { ...broker, name: "a2" } } });
    await create(BrokerKind, "a2", {});
    const { status } = await condition(TriggerKind, "t", "Ready", "True");
    const name = "t-oidc-eventing.knative.dev-trigger";
    expect(status?.auth).toEqual({ serviceAccountName: name });
    expect(status?.subscriberAudience).toBe("eventing.knative.dev/broker/default/a2");
    expect(plane.consumers.get("trigger/default/t")?.subscriber).toMatchObject({
      audience: "eventing.knative.dev/broker/default/a2",
      as: { namespace, name },
    });
    const account = await get(ServiceAccountKind, name);
    expect(account.metadata).toMatchObject({
      labels: { "eventing.knative.dev/oidc": "enabled" },
      ownerReferences: [{ kind: "Trigger", name: "t", controller: true }],
    });
  });

  test("does not take an account that is somebody else's", async () => {
    await plane.client.create(ServiceAccountKind, {
      metadata: { name: "t-oidc-eventing.knative.dev-trigger", namespace },
    });
    await create(BrokerKind, "a", {});
    await create(TriggerKind, "t", { broker: "a", subscriber: { uri: "http://x.example" } });
    await condition(
      TriggerKind,
      "t",
      "OIDCIdentityCreated",
      "False Unable to resolve service account for OIDC authentication",
    );
    expect(plane.consumers.get("trigger/default/t")?.subscriber).not.toHaveProperty("as");
  });
});
