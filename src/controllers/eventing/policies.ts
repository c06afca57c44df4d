/** Which EventPolicies hold for an object, and what its ingress is told of them (eventing pkg/auth/event_policy.go). */
import type { AccessPolicy, AccessRule } from "../../api/eventing/access.ts";
import type { FilterSpec } from "../../api/eventing/engine.ts";
import { EventPolicyKind } from "../../api/eventing/kinds.ts";
import type { AppliedEventPoliciesStatus } from "../../api/eventing/types-duck.gen.ts";
import type { EventPolicy, EventPolicySpecTo } from "../../api/eventing/types.gen.ts";
import { ParallelKind, SequenceKind } from "../../api/flows/kinds.ts";
import { ChannelKind, SubscriptionKind } from "../../api/messaging/kinds.ts";
import { isControlledBy } from "../../api/meta/owner.ts";
import { matchesLabelSelector } from "../../api/meta/label-selector.ts";
import { apiVersionOf, type Kind } from "../../api/meta/kind.ts";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { isFalse, isReady, type Verdict } from "../../api/serving/conditions.ts";
import type { WatchRule } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watching } from "../../client/keys.ts";
import { childName } from "../../api/serving/child-name.ts";
import { groupOf } from "./addresses.ts";
import type { EventingDeps } from "./deps.ts";
import { featuresNow, watchFeatures } from "./features.ts";
import { senderOf } from "./identity.ts";

export interface PolicyFacts {
  /** EventPoliciesReady. */
  readonly verdict: Verdict;
  readonly status: AppliedEventPoliciesStatus;
  /** Absent while authentication is off: everybody may send. */
  readonly access?: AccessRule;
}

/** Wakes the objects when policies of their namespace change, or authentication is turned on or off. */
export const watchPolicies = <T extends KubeObject>(informer: Informer<T>): readonly WatchRule[] => [
  watchFeatures(informer),
  watching(EventPolicyKind, ({ metadata }) =>
    informer.list(metadata.namespace).map((object) => keyOf(object.metadata)),
  ) as unknown as WatchRule,
];

/** For whom tokens sent to the object are made (eventing pkg/auth/audience.go). */
export const audienceOf = ({ group, kind }: Kind, { metadata }: KubeObject): string =>
  `${group}/${kind}/${metadata.namespace}/${metadata.name}`.toLowerCase();

export function policiesOf(deps: EventingDeps, kind: Kind, object: KubeObject): PolicyFacts {
  const features = featuresNow(deps);
  if (!features.authenticationOidc) return { verdict: withoutAuthentication, status: {} };
  const { namespace = "" } = object.metadata;
  const faces = facesOf(deps, kind, object);
  const applying = deps.informers
    .of(EventPolicyKind)
    .list(namespace)
    .filter((policy) => !policy.metadata.deletionTimestamp && faces.some((face) => applies(policy, ...face)))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const unready = applying.filter((policy) => !isReady(policy));
  const mode = features.authorizationMode;
  return {
    verdict: verdictOf(applying, unready, mode),
    status: {
      policies: applying
        .filter((policy) => !unready.includes(policy))
        .map(({ metadata }) => ({ apiVersion: apiVersionOf(EventPolicyKind), name: metadata.name })),
    },
    access: {
      audience: audienceOf(kind, object),
      namespace,
      // A policy that is there and cannot be resolved yet must not open what it is to close.
      mode: applying.length > 0 ? "deny-all" : mode,
      policies: [
        ...applying.map((policy) => ({
          subjects: policy.status?.from ?? [],
          filters: (policy.spec.filters ?? []) as readonly FilterSpec[],
        })),
        ...flowPolicies(deps, object),
      ],
    },
  };
}

const withoutAuthentication: Verdict = {
  status: "True",
  reason: "OIDCDisabled",
  message: 'Feature "authentication-oidc" must be enabled to support Authorization',
};

function verdictOf(applying: readonly EventPolicy[], unready: readonly EventPolicy[], mode: string): Verdict {
  if (unready.length > 0) {
    const names = unready.map(({ metadata }) => metadata.name).join(", ");
    return isFalse("EventPoliciesNotReady", `event policies ${names} are not ready`);
  }
  if (applying.length > 0) return { status: "True" };
  const message = `Default authz mode is ${JSON.stringify(mode)}`;
  return { status: "True", reason: "DefaultAuthorizationMode", message };
}

type Face = readonly [kind: Kind, object: KubeObject];

/** The object, and the Channel, Sequence or Parallel whose events come in at it: a policy for those holds for it. */
function facesOf(deps: Pick<EventingDeps, "informers">, kind: Kind, object: KubeObject): readonly Face[] {
  const owner = flowOf(deps, object) ?? ownerOf(deps, ChannelKind, object);
  if (!owner) return [[kind, object]];
  const [ownerKind, { metadata }] = owner;
  const fronts = new Set([
    metadata.name,
    childName(metadata.name, "-kn-sequence-0"),
    childName(metadata.name, "-kn-parallel"),
  ]);
  return fronts.has(object.metadata.name) ? [[kind, object], ...facesOf(deps, ownerKind, owner[1])] : [[kind, object]];
}

const flowKinds: readonly Kind[] = [SequenceKind, ParallelKind];

function flowOf(deps: Pick<EventingDeps, "informers">, object: KubeObject): Face | undefined {
  for (const kind of flowKinds) {
    const found = ownerOf(deps, kind, object);
    if (found) return found;
  }
  const channel = ownerOf(deps, ChannelKind, object);
  return channel && flowOf(deps, channel[1]);
}

function ownerOf(
  { informers }: Pick<EventingDeps, "informers">,
  kind: Kind,
  { metadata }: KubeObject,
): Face | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner?.kind !== kind.kind || groupOf(owner.apiVersion) !== kind.group) return undefined;
  const found = informers.of(kind).get(`${metadata.namespace}/${owner.name}`);
  return found?.metadata.uid === owner.uid ? [kind, found] : undefined;
}

/** Channels inside a flow take what the flow's own Subscriptions send on. */
function flowPolicies(deps: EventingDeps, object: KubeObject): readonly AccessPolicy[] {
  const flow = flowOf(deps, object);
  if (!flow) return [];
  const subjects = deps.informers
    .of(SubscriptionKind)
    .list(object.metadata.namespace)
    .filter((subscription) => isControlledBy(subscription, flow[1]))
    .flatMap((subscription) => {
      const as = senderOf(deps, SubscriptionKind, subscription);
      return as ? [`system:serviceaccount:${as.namespace}:${as.name}`] : [];
    });
  return subjects.length > 0 ? [{ subjects, filters: [] }] : [];
}

/** Without `to` a policy holds for everything in its namespace. */
export function applies({ spec }: EventPolicy, kind: Kind, object: KubeObject): boolean {
  if (!spec.to || spec.to.length === 0) return true;
  return spec.to.some((to) => holdsFor(to, kind, object));
}

function holdsFor({ ref, selector }: EventPolicySpecTo, kind: Kind, { metadata }: KubeObject): boolean {
  if (ref) return isOfKind(ref, kind) && same(ref.name, metadata.name);
  if (!selector || !isOfKind(selector, kind)) return false;
  return matchesLabelSelector(selector, metadata.labels ?? {});
}

const isOfKind = (named: { readonly apiVersion?: string; readonly kind?: string }, kind: Kind): boolean =>
  same(groupOf(named.apiVersion ?? ""), kind.group) && same(named.kind, kind.kind);

const same = (a: string | undefined, b: string): boolean => (a ?? "").toLowerCase() === b.toLowerCase();
