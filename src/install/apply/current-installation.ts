import type { Deployment } from "../../api/apps/types.gen.ts";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import { SecretKind, ServiceKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import {
  defaultNatsImage,
  defaultNatsStorage,
  serviceTypes,
  type BundleOptions,
  type EventsOptions,
  type OwnNats,
} from "../bundle-options.ts";
import { givenNatsSecret, nameOf, natsName, systemNamespace } from "../names.ts";
import { StatefulSetKind } from "./object-kinds.ts";

export type CurrentInstallation = Pick<
  BundleOptions,
  | "image"
  | "replicas"
  | "serviceType"
  | "imagePullSecrets"
  | "insecureRegistries"
  | "warmPythonImage"
  | "forwardedHeaders"
  | "events"
>;

/** What is chosen in the installation there is; undefined where there is none. */
export async function currentInstallation(client: Client): Promise<CurrentInstallation | undefined> {
  const [controller, router, service, events] = await Promise.all([
    orNothing(client.get(DeploymentKind, { namespace: systemNamespace, name: nameOf("controller") })),
    orNothing(client.get(DeploymentKind, { namespace: systemNamespace, name: nameOf("router") })),
    orNothing(client.get(ServiceKind, { namespace: systemNamespace, name: nameOf("router") })),
    currentEvents(client),
  ]);
  if (!controller || !router) return undefined;
  const { containers, imagePullSecrets = [] } = router.spec.template.spec;
  const args = controller.spec.template.spec.containers[0]?.args ?? [];
  const [warmPythonImage] = valuesOf(args, "--warm-python-image");
  return {
    image: containers[0]?.image ?? "",
    imagePullSecrets: imagePullSecrets.flatMap(({ name }) => (name === undefined ? [] : [name])),
    replicas: { controller: replicasOf(controller), router: replicasOf(router) },
    insecureRegistries: valuesOf(args, "--insecure-registry"),
    ...(warmPythonImage === undefined ? {} : { warmPythonImage }),
    ...(valuesOf(containers[0]?.args ?? [], "--forwarded-headers").includes("replace")
      ? { forwardedHeaders: "replace" }
      : {}),
    ...(events ? { events } : {}),
    serviceType: serviceTypes.find((type) => type === service?.spec.type) ?? "LoadBalancer",
  };
}

/** None at all is how somebody stopped it, and no number to keep. */
const replicasOf = ({ spec }: Deployment): number => Math.max(1, spec.replicas ?? 1);

async function currentEvents(client: Client): Promise<EventsOptions | undefined> {
  const [events, server, given] = await Promise.all([
    orNothing(client.get(DeploymentKind, { namespace: systemNamespace, name: nameOf("events") })),
    orNothing(client.get(StatefulSetKind, { namespace: systemNamespace, name: natsName })),
    orNothing(client.get(SecretKind, { namespace: systemNamespace, name: givenNatsSecret })),
  ]);
  if (!events) return undefined;
  const replicas = replicasOf(events);
  const url = given?.data?.["url"];
  if (!server)
    return url === undefined
      ? undefined
      : { replicas, nats: { kind: "given", url: Buffer.from(url, "base64").toString() } };
  const [claim] = server.spec.volumeClaimTemplates ?? [];
  const className = claim?.spec?.storageClassName;
  const size = claim?.spec?.resources?.requests?.["storage"] ?? defaultNatsStorage;
  const nats: OwnNats = {
    kind: "own",
    image: server.spec.template.spec?.containers[0]?.image ?? defaultNatsImage,
    servers: server.spec.replicas === 3 ? 3 : 1,
    storage: claim ? { size, ...(className === undefined ? {} : { className }) } : "none",
  };
  return { replicas, nats };
}

async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Values of an option that may be given several times. */
const valuesOf = (words: readonly string[], option: string): readonly string[] =>
  words.filter((_, index) => words[index - 1] === option);
