/** WebhookSource: answers 202 only when the sink has what came; whoever sends tries again otherwise. */
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import type { WebhookSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import type { Resolved } from "../resolved-settings.ts";
import type { OpenSource, SourceContext, SourceReader } from "../source-reader.ts";
import { slackChallenge, webhookEvent } from "./webhook-event.ts";
import type { WebhookAnswer, WebhookRequest } from "./webhook-front.ts";
import { whyForged, type Verification } from "./webhook-signature.ts";

const defaultMaxBytes = 1024 * 1024;
/** Providers wait for 10 to 30 seconds. */
const deliverMs = 25_000;
/** A request that waits for its sink costs memory; more than that are asked to come again. */
const mostUnderWay = 256;

export const webhookReader: SourceReader = {
  kind: "WebhookSource",
  leavesNothing: true,
  async open(given, context) {
    const settings = given as Resolved<WebhookSourceSpec>;
    const source = context.sourceOf();
    const opened = await openWebhook(context, {
      verify: settings.verify ?? {},
      maxBytes: settings.maxBytes ?? defaultMaxBytes,
      eventOf: (request) => webhookEvent(settings, request, { source, nowMs: context.clock.now() }),
    });
    context.report({ connected: true, facts: { "webhook.url": opened.url } });
    return opened;
  },
};

export interface WebhookParticulars {
  readonly verify: Verification;
  readonly maxBytes: number;
  /** undefined: of no interest, which the sender need not know. Throws a text for what is wrong with it. */
  eventOf(request: WebhookRequest): CloudEvent | undefined;
}

export interface OpenWebhook extends OpenSource {
  readonly url: string;
}

export async function openWebhook(
  context: SourceContext,
  { verify, maxBytes, eventOf }: WebhookParticulars,
): Promise<OpenWebhook> {
  const { webhooks } = context;
  if (!webhooks) throw new Error("webhooks are not received here");
  if (verify.scheme !== "none" && !verify.secret) throw new Error("the secret is empty: anybody could sign with it");
  const underWay = new Set<Promise<unknown>>();
  const take = async (request: WebhookRequest): Promise<WebhookAnswer> => {
    const forged = whyForged(verify, request, context.clock.now());
    if (forged !== undefined) return { status: 401, message: forged };
    if (verify.scheme === "slack") {
      const challenge = slackChallenge(request);
      if (challenge !== undefined) return { status: 200, message: challenge };
    }
    const event = eventOf(request);
    if (!event) return { status: 202, message: "not of interest" };
    if (underWay.size >= mostUnderWay) return { status: 503, message: "too much is under way", retryAfterSeconds: 5 };
    const delivered = context.deliver(event, { signal: AbortSignal.timeout(deliverMs) });
    underWay.add(delivered);
    try {
      if ((await delivered) === "delivered") return { status: 202 };
      return { status: 503, message: "nobody has taken it: send it again", retryAfterSeconds: 5 };
    } finally {
      underWay.delete(delivered);
    }
  };
  const { namespace, name } = context;
  const received = await webhooks.receive({ namespace, name, maxBytes, take });
  return {
    url: received.url,
    async close() {
      received.close();
      await Promise.allSettled(underWay);
    },
  };
}
