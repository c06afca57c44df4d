/** The field tables of every built-in group in one place, and the schemas made from them. */
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
import { messages as events } from "./events/messages.ts";
import { parseMessages, type Message } from "./meta/message.ts";
import { messages as meta } from "./meta/messages.ts";
import { createSchemas, type Schema } from "./meta/schema.ts";
import { messages as networkingInternal } from "./networking-internal/messages.ts";
import { messages as networking } from "./networking/messages.ts";
import { messages as policy } from "./policy/messages.ts";
import { messages as rbac } from "./rbac/messages.ts";
import { messages as scheduling } from "./scheduling/messages.ts";
import { messages as serving } from "./serving/messages.ts";

const tables = [
  meta,
  core,
  apps,
  batch,
  autoscalingV1,
  autoscalingV2,
  discovery,
  networking,
  rbac,
  coordination,
  policy,
  scheduling,
  events,
  authentication,
  authorization,
  certificates,
  apiextensions,
  serving,
  autoscalingInternal,
  networkingInternal,
];

/** Every message by full name, such as `core.v1.Pod`. */
export const messagesByName: ReadonlyMap<string, Message> = new Map(
  tables.flatMap((table) => parseMessages(table).map((message) => [message.name, message] as const)),
);

/** The structural schema of a message; throws for a name that is in no table. */
export const schemaOf: (message: string) => Schema = createSchemas(messagesByName);
