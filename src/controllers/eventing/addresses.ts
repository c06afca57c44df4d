/** Destinations turned into addresses (knative.dev/pkg resolver/addressable_resolver.go). */
import { ServiceKind } from "../../api/core/kinds.ts";
import { BrokerKind, EventTransformKind, RequestReplyKind } from "../../api/eventing/kinds.ts";
import type { EventTarget } from "../../api/eventing/engine.ts";
import type { Destination, KReference } from "../../api/eventing/types-duck.gen.ts";
import { ParallelKind, SequenceKind } from "../../api/flows/kinds.ts";
import { ChannelKind, InMemoryChannelKind } from "../../api/messaging/kinds.ts";
import { resourceOf, type Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { KnativeServiceKind, RouteKind } from "../../api/serving/kinds.ts";
import type { Addressable } from "../../api/serving/types.gen.ts";
import { IntegrationSinkKind, JobSinkKind } from "../../api/sinks/kinds.ts";
import type { WatchRule } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watching } from "../../client/keys.ts";
import { whenChanged } from "../serving/when-changed.ts";
import type { EventingDeps } from "./deps.ts";

export type Resolution =
  | { readonly kind: "resolved"; readonly target: EventTarget }
  /** `retry`: what it names is of a kind nobody watches here, so ask again. */
  | { readonly kind: "failed"; readonly reason: string; readonly message: string; readonly retry: boolean };

interface Addressed extends KubeObject {
  readonly status?: { readonly address?: Addressable; readonly addresses?: readonly Addressable[] };
}

/** Kinds whose changes wake those who name them at once. */
const watched: readonly Kind[] = [
  ServiceKind,
  KnativeServiceKind,
  RouteKind,
  BrokerKind,
  ChannelKind,
  InMemoryChannelKind,
  SequenceKind,
  ParallelKind,
  JobSinkKind,
  IntegrationSinkKind,
  EventTransformKind,
  RequestReplyKind,
];

const referenceKey = (group: string, kind: string, key: string): string => `${group}/${kind}/${key}`;

/** `""` for `v1`, the part before the slash for others. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";

function keyOfReference(ref: KReference, namespace: string): string {
  const group = ref.group ?? groupOf(ref.apiVersion ?? "");
  return referenceKey(group, ref.kind ?? "", `${ref.namespace || namespace}/${ref.name}`);
}

/** Rules that wake the objects of `informer` when something that one of their destinations names changes its address. */
export function watchAddresses<T extends KubeObject>(
  informer: Informer<T>,
  index: string,
  destinationsOf: (object: T) => readonly (Destination | undefined)[],
): readonly WatchRule[] {
  informer.addIndex(index, (object) =>
    destinationsOf(object).flatMap((destination) =>
      destination?.ref ? [keyOfReference(destination.ref, object.metadata.namespace ?? "")] : [],
    ),
  );
  return watched.map((kind) =>
    watching<KubeObject>(
      kind,
      whenChanged(addressFacts, ({ metadata }) =>
        informer
          .byIndex(index, referenceKey(kind.group, kind.kind, keyOf(metadata)))
          .map((dependent) => keyOf(dependent.metadata)),
      ),
    ),
  );
}

const addressFacts = (object: Addressed): unknown => [object.status?.address, object.status?.addresses];

/** Where a destination is. A destination of another namespace is found, too; who may name one is admission's to say. */
export function resolveDestination(
  deps: Pick<EventingDeps, "informers" | "served">,
  destination: Destination,
  namespace: string,
): Resolution {
  const { ref, uri, CACerts, audience } = destination;
  const own = { ...(CACerts ? { caCerts: CACerts } : {}), ...(audience ? { audience } : {}) };
  if (!ref) return { kind: "resolved", target: { url: uri ?? "", ...own } };
  const found = findAddress(deps, ref, namespace);
  if ("kind" in found) return found;
  const url = uri === undefined ? found.url : new URL(uri, found.url).toString();
  return { kind: "resolved", target: { ...found, ...own, url } };
}

function findAddress(
  { informers, served }: Pick<EventingDeps, "informers" | "served">,
  ref: KReference,
  namespace: string,
): EventTarget | Extract<Resolution, { readonly kind: "failed" }> {
  const { kind: kindName = "", name = "", apiVersion = "" } = ref;
  const home = ref.namespace || namespace;
  const kind = served.find(ref.group ? `${ref.group}/v1` : apiVersion, kindName);
  if (!kind) return failed("NotFound", `no kind ${kindName} of ${apiVersion || "the core group"} is served here`, true);
  const retry = !watched.some((one) => one.group === kind.group && one.kind === kind.kind);
  const object = informers.of(kind as Kind<Addressed>).get(`${home}/${name}`);
  if (!object) {
    const message = `failed to get object ${home}/${name}: ${resourceOf(kind)} "${name}" not found`;
    return failed("NotFound", message, retry);
  }
  if (kind.group === "" && kind.kind === "Service") return { url: `http://${name}.${home}.svc.cluster.local` };
  const address = object.status?.addresses?.[0] ?? object.status?.address;
  if (address?.url) return targetOf(address, address.url);
  return failed("AddressNotSet", `address not set for ${kindName} "${name}" in namespace ${home}`, retry);
}

const targetOf = ({ CACerts, audience }: Addressable, url: string): EventTarget => ({
  url,
  ...(CACerts ? { caCerts: CACerts } : {}),
  ...(audience ? { audience } : {}),
});

const failed = (reason: string, message: string, retry: boolean): Extract<Resolution, { readonly kind: "failed" }> => ({
  kind: "failed",
  reason,
  message,
  retry,
});
