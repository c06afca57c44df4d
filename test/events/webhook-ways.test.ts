/** What leads to webhooks on a cluster, on the real API server in memory. */
import { afterEach, expect, test } from "vitest";
import { ServiceKind } from "../../src/api/core/kinds.ts";
import { KIngressKind } from "../../src/api/networking-internal/kinds.ts";
import { FileSourceKind, WebhookSourceKind } from "../../src/api/sources/store-kinds.ts";
import { createEventingPlane, namespace, told, until, type EventingPlane } from "./eventing-plane.ts";
import { systemClock } from "../../src/client/clock.ts";
import type { WebhookWay } from "../../src/controllers/eventing/webhook-ways.ts";

let plane: EventingPlane | undefined;
afterEach(() => plane?.close());

const sink = { uri: "http://sink.example" };

async function open(way: WebhookWay | undefined): Promise<EventingPlane> {
  const service = { namespace: "ebb-system", name: "ebb-webhooks" };
  return (plane = await createEventingPlane(systemClock, {
    folders: false,
    webhooks: { service, wayOf: () => way },
  }));
}

const make = ({ client }: EventingPlane) =>
  client.create(WebhookSourceKind, {
    metadata: { name: "pay", namespace },
    spec: { verify: { scheme: "none" }, sink } as never,
  });

test("a webhook gets a name inside, and a host of the routers that leads there", async () => {
  const { client, sources } = await open({ host: "pay-webhook.default.example.com", ingressClass: "ebb" });
  const { metadata } = await make(plane as EventingPlane);
  await until(
    () => sources.has("webhooksource/default/pay"),
    (is) => is,
    "source",
  );
  const service = await client.get(ServiceKind, { namespace, name: "pay-webhook" });
  expect(service.spec).toMatchObject({
    type: "ExternalName",
    externalName: "ebb-webhooks.ebb-system.svc.cluster.local",
  });
  const ingress = await client.get(KIngressKind, { namespace, name: "pay-webhook" });
  expect(ingress.metadata.ownerReferences).toMatchObject([{ uid: metadata.uid, kind: "WebhookSource" }]);
  expect(ingress.spec.rules).toMatchObject([
    {
      hosts: ["pay-webhook.default.example.com"],
      visibility: "ExternalIP",
      http: {
        paths: [
          {
            rewriteHost: "pay-webhook.default.svc.cluster.local",
            splits: [{ serviceNamespace: "ebb-system", serviceName: "ebb-webhooks", servicePort: 80, percent: 100 }],
          },
        ],
      },
    },
  ]);
});

test("without a domain for the world there is the name inside alone", async () => {
  const { client, sources } = await open(undefined);
  await make(plane as EventingPlane);
  await until(
    () => sources.has("webhooksource/default/pay"),
    (is) => is,
    "source",
  );
  expect((await client.get(ServiceKind, { namespace, name: "pay-webhook" })).spec?.type).toBe("ExternalName");
  expect((await client.list(KIngressKind, { namespace })).items).toEqual([]);
});

test("a folder is refused where pods come and go, with what to use instead", async () => {
  const { client, sources } = await open(undefined);
  await client.create(FileSourceKind, { metadata: { name: "f", namespace }, spec: { path: "/srv/in", sink } as never });
  const source = await until(
    () => client.get(FileSourceKind, { namespace, name: "f" }),
    (object) => told(object, "Ready") === "False NotOnACluster",
    "refusal",
  );
  expect(source.status?.conditions?.find(({ type }) => type === "Ready")?.message).toMatch("ContainerSource");
  expect(sources.size).toBe(0);
});
