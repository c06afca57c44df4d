/** The field tables of every built-in group in one place, and the schemas made from them. */
import { messages as admissionregistration } from "./admissionregistration/messages.ts";
import { messages as apiextensions } from "./apiextensions/messages.ts";
import { messages as apps } from "./apps/messages.ts";
import { messages as authentication } from "./authentication/messages.ts";
import { messages as authorization } from "./authorization/messages.ts";
import { messages as autoscalingInternal } from "./autoscaling-internal/messages.ts";
import { messages as autoscalingV1 } from "./autoscaling/messages-v1.ts";
import { messages as autoscalingV2 } from "./autoscaling/messages.ts";
import { messages as batch } from "./batch/messages.ts";
import { messages as certificates } from "./certificates/messages.ts";
import { messages as coordination } from "./coordination/messages.ts";
import { messages as core } from "./core/messages.ts";
import { messages as discovery } from "./discovery/messages.ts";
import { messages as eventingDuck } from "./eventing/messages-duck.ts";
import { messages as eventingV1beta2 } from "./eventing/messages-v1beta2.ts";
import { messages as eventing } from "./eventing/messages.ts";
import { messages as events } from "./events/messages.ts";
import { messages as flows } from "./flows/messages.ts";
import { messages as messaging } from "./messaging/messages.ts";
import { parseMessages, type Message } from "./meta/message.ts";
import { messages as meta } from "./meta/messages.ts";
import { createSchemas, type Schema } from "./meta/schema.ts";
import { messages as networkingInternal } from "./networking-internal/messages.ts";
import { messages as networking } from "./networking/messages.ts";
import { messages as policy } from "./policy/messages.ts";
import { messages as rbac } from "./rbac/messages.ts";
import { messages as scheduling } from "./scheduling/messages.ts";
import { messages as serving } from "./serving/messages.ts";
import { messages as sinks } from "./sinks/messages.ts";
import { messages as sourcesEbb } from "./sources/messages-ebb.ts";
import { messages as sourcesV1alpha1 } from "./sources/messages-v1alpha1.ts";
import { messages as sourcesStores } from "./sources/messages-stores.ts";
import { messages as sources } from "./sources/messages.ts";

/** Tables by package; one is parsed when a message of it is first asked for. */
const tables: Readonly<Record<string, string>> = {
  meta,
  "core.v1": core,
  "apps.v1": apps,
  "batch.v1": batch,
  "autoscaling.v1": autoscalingV1,
  "autoscaling.v2": autoscalingV2,
  "discovery.v1": discovery,
  "networking.v1": networking,
  "rbac.v1": rbac,
  "coordination.v1": coordination,
  "policy.v1": policy,
  "scheduling.v1": scheduling,
  "admissionregistration.v1": admissionregistration,
  "events.v1": events,
  "authentication.v1": authentication,
  "authorization.v1": authorization,
  "certificates.v1": certificates,
  "apiextensions.v1": apiextensions,
  "serving.v1": serving,
  "autoscaling.internal.v1alpha1": autoscalingInternal,
  "networking.internal.v1alpha1": networkingInternal,
  "knative.duck.v1": eventingDuck,
  "eventing.v1": eventing,
  "eventing.v1beta2": eventingV1beta2,
  "messaging.v1": messaging,
  "flows.v1": flows,
  "sources.v1": sources,
  "sources.v1alpha1": sourcesV1alpha1,
  "sources.stores.v1alpha1": sourcesStores,
  "sources.ebb.v1alpha1": sourcesEbb,
  "sinks.v1alpha1": sinks,
};

const parsed = new Map<string, Message>();
const parsedPackages = new Set<string>();

/** Every message by full name, such as `core.v1.Pod`. */
export const messagesByName: Pick<ReadonlyMap<string, Message>, "get"> = {
  get(name) {
    const pkg = name.slice(0, Math.max(0, name.lastIndexOf(".")));
    if (!parsedPackages.has(pkg)) {
      parsedPackages.add(pkg);
      for (const message of parseMessages(tables[pkg] ?? "")) parsed.set(message.name, message);
    }
    return parsed.get(name);
  },
};

/** The structural schema of a message; throws for a name that is in no table. */
export const schemaOf: (message: string) => Schema = createSchemas(messagesByName);
