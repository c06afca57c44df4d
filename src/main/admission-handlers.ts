/** The webhooks of ebb's kinds as paths of the controller's HTTPS listener. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { builtinDefinitions } from "../api/definitions.ts";
import { eventingNamespace } from "../api/eventing/keys.ts";
import { ConfigMapKind } from "../api/core/kinds.ts";
import { isApiError } from "../api/meta/errors.ts";
import type { Kind } from "../api/meta/kind.ts";
import type { Clock } from "../client/clock.ts";
import type { Informers } from "../client/informer.ts";
import {
  makeAnswer,
  parseReview,
  type AdmissionRequest,
  type Verdict,
} from "../controllers/admission/admission-review.ts";
import { sinkBinder } from "../controllers/admission/bind-sinks.ts";
import { createAdmissionWebhooks } from "../controllers/admission/admission-webhooks.ts";
import { answerConversion } from "../controllers/admission/conversion-review.ts";
import { versionConverter } from "../controllers/admission/version-converter.ts";
import type { Logger } from "../telemetry/logger.ts";
import { readBody, type ServingHandler } from "./serving-listener.ts";

/** Objects of an API server are at most 3 MB, and a review holds two. */
const maxReviewBytes = 8 * 2 ** 20;

export function admissionHandlers(deps: {
  readonly informers: Informers;
  /** Of namespace knative-eventing. */
  readonly eventing: Informers;
  readonly clock: Clock;
  readonly log: Logger;
}): readonly ServingHandler[] {
  const maps = deps.informers.of(ConfigMapKind);
  const eventingMaps = deps.eventing.of(ConfigMapKind);
  const webhooks = createAdmissionWebhooks({
    definitions: builtinDefinitions.filter(({ kind }) => isOurs(kind)),
    configMap: (namespace, name) =>
      (namespace === eventingNamespace ? eventingMaps : maps).get(`${namespace}/${name}`)?.data ?? {},
    nowMs: () => deps.clock.now(),
    log: deps.log,
  });
  const convert = versionConverter(builtinDefinitions);
  return [
    { path: "/convert", handle: reviewing((text) => answerConversion(text, convert)) },
    { path: "/defaults", handle: answering(webhooks.defaults) },
    { path: "/bind-sinks", handle: answering(sinkBinder(deps.informers)) },
    { path: "/validate", handle: answering(webhooks.validate) },
  ];
}

/** Kinds a cluster does not bring, and the config maps by which they are configured. */
const isOurs = ({ group, kind }: Kind): boolean =>
  (group.includes(".") && !group.endsWith(".k8s.io")) || (group === "" && kind === ConfigMapKind.kind);

const answering = (judge: (request: AdmissionRequest) => Verdict): ServingHandler["handle"] =>
  reviewing((text) => {
    const asked = parseReview(text);
    return makeAnswer(asked.uid, judge(asked));
  });

function reviewing(answer: (text: string) => object): ServingHandler["handle"] {
  return async (request: IncomingMessage, response: ServerResponse) => {
    const text = await readBody(request, maxReviewBytes);
    try {
      send(response, 200, answer(text));
    } catch (error) {
      if (!isApiError(error)) throw error;
      send(response, error.code, error.status);
    }
  };
}

function send(response: ServerResponse, code: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(code, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
