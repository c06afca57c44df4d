import { isDeepStrictEqual } from "node:util";
import { keyOf, type KubeObject } from "../../api/meta/object.ts";
import { isControlledBy } from "../../api/meta/owner.ts";
import { isObserved } from "../../api/serving/conditions.ts";
import { servingKeys } from "../../api/serving/keys.ts";
import { ConfigurationKind, KnativeServiceKind, RevisionKind, RouteKind } from "../../api/serving/kinds.ts";
import type { Configuration, Route, Service } from "../../api/serving/types.gen.ts";
import type { ControllerSpec, ReconcileResult } from "../../client/controller.ts";
import { labelKey, selfKey, watching } from "../../client/keys.ts";
import type { ServingDeps } from "./deps.ts";
import { ProgressNotes } from "./progress-notes.ts";
import { findRevision, isNamedByUser } from "./revision-name.ts";
import { makeConfiguration, makeRoute } from "./service-children.ts";
import { serviceStatus, type Child } from "./service-status.ts";
import { markFacts, ownFacts, whenChanged } from "./when-changed.ts";
import { createOrGet, equalMaps, observing, writeStatus } from "./write.ts";

/** Keeps a Service's Configuration and Route as it wants them and tells in its status how they fare. */
export function serviceController(deps: ServingDeps): ControllerSpec {
  const services = deps.informers.of(KnativeServiceKind);
  const progress = new ProgressNotes();
  return {
    name: "knative-service",
    // Children bear the Service's name, so a namesake of another owner wakes it too when it goes away.
    watches: [
      watching(KnativeServiceKind, whenChanged(ownFacts, selfKey)),
      watching(ConfigurationKind, selfKey),
      watching(RouteKind, selfKey),
      watching(RevisionKind, whenChanged(markFacts, serviceKeyOfNamed)),
    ],
    async reconcile(key) {
      const service = services.get(key);
      if (!service || service.metadata.deletionTimestamp) return progress.forget(key);
      return observing(deps, KnativeServiceKind, service, () => reconcileService(deps, service, progress));
    },
  };
}

/** A Revision of the name a template gives may be in the way: its going is the Service's chance. */
const serviceKeyOfNamed = labelKey(servingKeys.service);

async function reconcileService(
  deps: ServingDeps,
  service: Service,
  progress: ProgressNotes,
): Promise<ReconcileResult | void> {
  const configuration = await reconcileConfiguration(deps, service);
  const nameTaken = configuration.kind === "mine" && isNameTaken(deps, configuration.object);
  const route = mayRoute(configuration) && !nameTaken ? await reconcileRoute(deps, service) : waiting;
  const now = deps.clock.now();
  const status = serviceStatus({ service, configuration, route, nameTaken, now });
  const holdMs = progress.holdMs(service, status, now);
  if (holdMs > 0) return { requeueAfterMs: holdMs };
  await writeStatus(deps, KnativeServiceKind, service, status);
}

const waiting = { kind: "waiting" } as const;

/** With a Revision named by the user the Configuration must have accepted the name before traffic may move to it. */
function mayRoute(configuration: Child<Configuration>): boolean {
  if (configuration.kind !== "mine") return false;
  return isObserved(configuration.object) || !isNamedByUser(configuration.object);
}

function isNameTaken({ informers }: ServingDeps, configuration: Configuration): boolean {
  if (!isNamedByUser(configuration)) return false;
  const { namespace } = configuration.metadata;
  const name = configuration.spec.template.metadata?.name ?? "";
  const named = informers.of(RevisionKind).get(keyOf({ name, ...(namespace ? { namespace } : {}) }));
  return findRevision(configuration, named, []).kind === "taken";
}

async function reconcileConfiguration(deps: ServingDeps, service: Service): Promise<Child<Configuration>> {
  const { client, informers, recorder } = deps;
  const { name } = service.metadata;
  let have = informers.of(ConfigurationKind).get(keyOf(service.metadata));
  if (!have) {
    have = await createOrGet(client, ConfigurationKind, makeConfiguration(service));
    created(recorder, service, `Created Configuration ${JSON.stringify(name)}`);
  }
  if (!isControlledBy(have, service)) return { kind: "foreign" };
  const { metadata, spec } = makeConfiguration(service, have);
  const same = isDeepStrictEqual(spec, have.spec) && sameMaps(metadata, have.metadata);
  if (same) return { kind: "mine", object: have };
  const { labels = {}, annotations = {} } = metadata;
  const wanted: Configuration = { ...have, spec, metadata: { ...have.metadata, labels, annotations } };
  return { kind: "mine", object: await client.update(ConfigurationKind, wanted) };
}

async function reconcileRoute(deps: ServingDeps, service: Service): Promise<Child<Route>> {
  const { client, informers, recorder } = deps;
  const { name } = service.metadata;
  const draft = makeRoute(service);
  let have = informers.of(RouteKind).get(keyOf(service.metadata));
  if (!have) {
    have = await createOrGet(client, RouteKind, draft);
    created(recorder, service, `Created Route ${JSON.stringify(name)}`);
  }
  if (!isControlledBy(have, service)) return { kind: "foreign" };
  const { metadata, spec } = draft;
  if (isDeepStrictEqual(spec, have.spec) && sameMaps(metadata, have.metadata)) return { kind: "mine", object: have };
  const { labels = {}, annotations = {} } = metadata;
  const wanted: Route = { ...have, spec, metadata: { ...have.metadata, labels, annotations } };
  return { kind: "mine", object: await client.update(RouteKind, wanted) };
}

type Maps = Partial<Pick<KubeObject["metadata"], "labels" | "annotations">>;

const sameMaps = (a: Maps, b: Maps): boolean =>
  equalMaps(a.labels, b.labels) && equalMaps(a.annotations, b.annotations);

function created(recorder: ServingDeps["recorder"], service: Service, message: string): void {
  recorder.record({ kind: KnativeServiceKind, object: service, type: "Normal", reason: "Created", message });
}
