/** The Eventing controllers in one process: what they ask of events and of the router. */
import { formatBinary } from "../api/cloudevents/format-http.ts";
import type { Kind } from "../api/meta/kind.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../client/clock.ts";
import type { ControllerSpec } from "../client/controller.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { Informers } from "../client/informer.ts";
import { eventingControllers } from "../controllers/eventing-controllers.ts";
import type { EventingDeps } from "../controllers/eventing/deps.ts";
import { triggerLagController } from "../controllers/eventing/trigger-lag-controller.ts";
import { createServedKinds } from "../controllers/served-kinds.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Events } from "./events.ts";

export interface EventingParts {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: EventRecorder;
  readonly builtInKinds: readonly Kind[];
  readonly events: Pick<Events, "engine" | "sender" | "sinks" | "sources">;
  readonly routerUrl: () => string;
  /** Domain of public hosts: `localhost`. */
  readonly domain: string;
}

/** Longest time a sink may take over an event of a source: what Serving allows a request at most. */
const sendMs = 600_000;

export function eventingInOneProcess(parts: EventingParts): readonly ControllerSpec[] {
  const { events, informers, builtInKinds, routerUrl, domain, ...core } = parts;
  const deps: EventingDeps = {
    ...core,
    informers,
    engine: events.engine,
    sources: events.sources,
    sinks: events.sinks,
    served: createServedKinds(informers, builtInKinds),
    send: sendBy(events.sender),
    urlForPrograms: (url) => throughLocalhost(url, { routerUrl, domain }),
  };
  return [...eventingControllers(deps), triggerLagController(deps)];
}

export const sendBy =
  (sender: Events["sender"]): EventingDeps["send"] =>
  async (target, event) => {
    const answer = await sender.send(target, { ...formatBinary(event), timeoutMs: sendMs });
    if (answer.kind === "none") throw new Error(answer.reason);
    if (answer.status < 200 || answer.status >= 300) throw new Error(`the sink answered ${answer.status}`);
  };

/** There is no cluster DNS on this machine: `x.ns.svc.cluster.local` is `x.ns.localhost` at the router's port. */
export function throughLocalhost(
  url: string,
  { routerUrl, domain }: Pick<EventingParts, "routerUrl" | "domain">,
): string {
  const at = new URL(url);
  const name = /^(.+?)\.svc(?:\.cluster\.local)?$/.exec(at.hostname)?.[1];
  if (name === undefined) return url;
  const { port } = new URL(routerUrl());
  at.protocol = "http:";
  at.hostname = `${name}.${domain}`;
  at.port = port;
  return at.pathname === "/" && !url.endsWith("/") ? at.origin : at.toString();
}
