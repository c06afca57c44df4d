import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import type { SenderIdentity } from "../../api/eventing/access.ts";
import type { EventEngine, EventTarget } from "../../api/eventing/engine.ts";
import type { SourceEngine } from "../../api/eventing/source-engine.ts";
import type { SinkEngine } from "../../api/eventing/sink-engine.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { Informers } from "../../client/informer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { ServedKinds } from "../served-kinds.ts";
import type { WebhookPlaces } from "./webhook-ways.ts";

/** What the Eventing controllers work with. */
export interface EventingDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: Pick<EventRecorder, "record">;
  readonly engine: EventEngine;
  /** Reads queues, topics and the like. */
  readonly sources: SourceEngine;
  /** A token of an account for an audience, for programs to send with; absent where they cannot be handed any. */
  issueToken?(as: SenderIdentity, audience: string): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** Folders of this machine may be read; absent: which ones is the reader's to say. */
  readonly folders?: false;
  /** Where webhooks are taken, on a cluster. Their hosts are the router's own business without. */
  readonly webhooks?: WebhookPlaces;
  /** Takes events for sinks that are not streams. */
  readonly sinks: SinkEngine;
  /** Objects that destinations may name, those of CRDs among them. */
  readonly served: Pick<ServedKinds, "find">;
  /** Sends an event once; resolves when the sink took it, rejects with the reason when it did not. */
  send(target: EventTarget, event: CloudEvent): Promise<void>;
  /**
   * An address as a program of the user's reaches it: names of the cluster's own in a cluster, of the router
   * (`http://x.ns.localhost:8080`) where there is no cluster DNS.
   */
  urlForPrograms(url: string): string;
  /** Name that the Services of channels point at, where addresses are found by DNS. None are made without. */
  readonly channelsAt?: string;
}
