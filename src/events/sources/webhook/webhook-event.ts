/** Requests of providers as events: what each says of id and type. */
import { randomUUID } from "node:crypto";
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import type { WebhookSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import type { Resolved } from "../resolved-settings.ts";
import { contentTypeOf } from "../plain-body.ts";
import type { WebhookRequest } from "./webhook-front.ts";

type Settings = Resolved<WebhookSourceSpec>;

interface Said {
  /** The same when the provider sends a request again. */
  readonly id?: string | undefined;
  readonly what?: string | undefined;
}

export const webhookEventType = (scheme: string): string => `dev.ebb.sources.webhook.${scheme}`;

export function webhookEvent(
  { verify, eventType, eventTypeHeader, idHeader }: Settings,
  request: WebhookRequest,
  { source, nowMs }: { readonly source: string; readonly nowMs: number },
): CloudEvent {
  const scheme = verify?.scheme ?? "none";
  const said = providers[scheme]?.(request) ?? {};
  const what = eventTypeHeader ? header(request, eventTypeHeader) : eventType ? undefined : said.what;
  const base = eventType || webhookEventType(scheme);
  return {
    specversion: "1.0",
    id: (idHeader ? header(request, idHeader) : undefined) ?? said.id ?? randomUUID(),
    source,
    type: what ? `${base}.${wordOf(what)}` : base,
    time: new Date(nowMs).toISOString(),
    datacontenttype: header(request, "content-type") ?? contentTypeOf(request.body),
    ...(request.body.length > 0 ? { data: request.body } : {}),
  };
}

const providers: Readonly<Record<string, (request: WebhookRequest) => Said>> = {
  github: (request) => ({ id: header(request, "x-github-delivery"), what: header(request, "x-github-event") }),
  gitlab: (request) => ({
    id: header(request, "idempotency-key") ?? header(request, "x-gitlab-event-uuid"),
    what: header(request, "x-gitlab-event"),
  }),
  stripe: (request) => {
    const body = jsonOf(request);
    return { id: textAt(body, "id"), what: textAt(body, "type") };
  },
  slack: (request) => {
    const body = jsonOf(request);
    return { id: textAt(body, "event_id"), what: textAt(body?.["event"], "type") ?? textAt(body, "type") };
  },
  standard: (request) => ({
    id: header(request, "webhook-id") ?? header(request, "svix-id"),
    what: textAt(jsonOf(request), "type"),
  }),
};

/** What Slack wants to hear when an address is entered there; undefined for all else. */
export function slackChallenge(request: WebhookRequest): string | undefined {
  const body = jsonOf(request);
  return textAt(body, "type") === "url_verification" ? textAt(body, "challenge") : undefined;
}

/** `Push Hook` as `push_hook`. */
const wordOf = (what: string): string => what.trim().toLowerCase().replaceAll(/\s+/g, "_");

export function header({ headers }: WebhookRequest, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  const text = typeof value === "string" ? value : value?.[0];
  return text === "" ? undefined : text;
}

type Json = Readonly<Record<string, unknown>>;

export function jsonOf({ body }: WebhookRequest): Json | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function textAt(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = (value as Json)[name];
  return typeof found === "string" && found !== "" ? found : undefined;
}
