import { ConfigMapKind, NamespaceKind, SecretKind } from "../../api/core/kinds.ts";
import { isApiError, isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import { DomainMappingKind, KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { Service } from "../../api/serving/types.gen.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { configReferences, readConfigObjects, referenceText } from "../service-config.ts";
import { CommandError } from "../command.ts";
import { findService } from "../find-service.ts";
import { schedulesOf } from "../function-schedule.ts";
import { isKindMissing, notInstalled } from "../not-installed.ts";
import { differences, type Difference } from "./differences.ts";
import { moveImage, type Moving, type MovedImage } from "./move-image.ts";
import { portableConfig, portableService, type Portable } from "./portable.ts";

/** What is to become of one object at the other home. */
export interface Step {
  readonly kind: Kind;
  readonly manifest: Portable;
  readonly outcome: "create" | "unchanged" | "differs";
  readonly differences: readonly Difference[];
  /** Of a Service: how its image gets there. */
  readonly image?: MovedImage;
}

export interface Plan {
  readonly namespace: string;
  /** The namespace is not there yet. */
  readonly makesNamespace: boolean;
  /** Secrets and ConfigMaps before the Services that read them. */
  readonly steps: readonly Step[];
  /** What stays behind, one line each. */
  readonly left: readonly string[];
}

/** Reads both homes and finds out what would have to be done; changes nothing at either. */
export async function planMigration(
  moving: Moving,
  wanted: { readonly names: readonly string[]; readonly namespace: string; readonly toNamespace: string },
): Promise<Plan> {
  const { from, to } = moving;
  const { namespace, toNamespace } = wanted;
  const services = await readServices(from.client, namespace, wanted.names);
  const makesNamespace = !(await exists(to.client, toNamespace));
  const left: string[] = [];
  const steps: Step[] = [];
  const references = new Map(services.flatMap(configReferences).map((one) => [referenceText(one), one] as const));
  const configs = await readConfigObjects(from.client, namespace, [...references.values()]);
  for (const { kind, name } of references.values()) {
    const object = configs.get(`${kind}/${name}`);
    if (!object) left.push(`${kind} ${name}: a Service reads it, and it is not at ${from.name}`);
    else
      steps.push(
        await step(
          to.client,
          kind === "Secret" ? SecretKind : ConfigMapKind,
          portableConfig(object, kind, toNamespace),
        ),
      );
  }
  for (const service of services) {
    const { name } = service.metadata;
    const image = service.spec.template.spec.containers[0]?.image ?? "";
    const moved = await moveImage(moving, name, image);
    const portable = portableService(service, {
      namespace: toNamespace,
      image: moved.image,
      standalone: to.home.kind === "standalone",
    });
    left.push(...portable.left.map((line) => `Service ${name}: ${line}`), ...(await leftOf(from.client, service)));
    steps.push({ ...(await step(to.client, KnativeServiceKind, portable.manifest)), image: moved });
  }
  return { namespace: toNamespace, makesNamespace, steps, left };
}

async function readServices(
  client: HttpClient,
  namespace: string,
  names: readonly string[],
): Promise<readonly Service[]> {
  if (names.length > 0) return await Promise.all(names.map((name) => findService(client, namespace, name)));
  try {
    const { items } = await client.list(KnativeServiceKind, { namespace });
    if (items.length === 0) throw new CommandError(`namespace ${namespace} has no services to move`);
    return items;
  } catch (error) {
    throw isKindMissing(error) ? notInstalled(client) : error;
  }
}

async function exists(client: HttpClient, name: string): Promise<boolean> {
  try {
    await client.get(NamespaceKind, { name });
    return true;
  } catch (error) {
    // Whoever may not look at namespaces may still work in one.
    if (isApiError(error) && error.code === 403) return true;
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function step(client: HttpClient, kind: Kind, manifest: Portable): Promise<Step> {
  const { name, namespace } = manifest.metadata;
  try {
    const present: KubeObject = await client.get(kind, { name, namespace });
    const found = differences(present, manifest).filter(({ path }) => !["apiVersion", "kind"].includes(path));
    return { kind, manifest, outcome: found.length === 0 ? "unchanged" : "differs", differences: found };
  } catch (error) {
    if (isKindMissing(error)) throw notInstalled(client);
    if (!isNotFound(error)) throw error;
    return { kind, manifest, outcome: "create", differences: [] };
  }
}

/** What belongs to a Service and is not moved with it. */
async function leftOf(client: HttpClient, { metadata }: Service): Promise<readonly string[]> {
  const { name, namespace = "default" } = metadata;
  const quietly = async <T>(list: Promise<{ readonly items: readonly T[] }>): Promise<readonly T[]> =>
    await list.then(
      ({ items }) => items,
      () => [],
    );
  const schedules = await quietly(schedulesOf(client, { namespace, name }).then((items) => ({ items })));
  const mappings = await quietly(client.list(DomainMappingKind, { namespace }));
  return [
    ...schedules.map(
      ({ spec }) => `Service ${name}: its schedule; "ebb deploy --schedule '${spec.schedule}'" makes it there`,
    ),
    ...mappings
      .filter(({ spec }) => spec.ref.kind === "Service" && spec.ref.name === name)
      .map((mapping) => `Service ${name}: the domain ${mapping.metadata.name}, which can be at one home only`),
  ];
}
