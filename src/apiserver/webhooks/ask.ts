import { randomUUID } from "node:crypto";
import { Agent, request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import type { Endpoints, Service } from "../../api/core/types.gen.ts";
import { internalError } from "../../api/meta/errors.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Store } from "../storage/store.ts";
import type { Hook } from "./hook.ts";
import { readAnswer, type Answer, type Review } from "./review.ts";

export interface AskDeps {
  readonly store: Store;
  readonly log: Logger;
}

const allow: Answer = { allowed: true, warnings: [] };

/** Asks a webhook. One that cannot be asked refuses the write with a 500, or lets it pass, by its failurePolicy. */
export async function askWebhook({ store, log }: AskDeps, { spec }: Hook, review: Review): Promise<Answer> {
  const uid = randomUUID();
  const body = JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid, ...review },
  });
  const seconds = spec.timeoutSeconds ?? 10;
  try {
    const place = placeOf(store, spec.clientConfig);
    try {
      return readAnswer(await post(place, { body, seconds, ca: spec.clientConfig.caBundle }), uid);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`failed to call webhook: Post ${JSON.stringify(`${place.url}?timeout=${seconds}s`)}: ${why}`, {
        cause: error,
      });
    }
  } catch (error) {
    const message = `failed calling webhook ${JSON.stringify(spec.name)}: ${error instanceof Error ? error.message : String(error)}`;
    if (spec.failurePolicy !== "Ignore") throw internalError(message);
    log.warn("a webhook could not be asked and is ignored, as its failurePolicy says", {
      webhook: spec.name,
      err: error,
    });
    return allow;
  }
}

interface Place {
  /** As the certificate and messages have it. */
  readonly url: string;
  /** Where it really listens. */
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  readonly path: string;
}

function placeOf(store: Store, { url, service }: Hook["spec"]["clientConfig"]): Place {
  if (service) return placeOfService(store, service);
  const { hostname, port, pathname, origin } = new URL(url ?? "");
  const host = hostname.replace(/^\[|\]$/g, "");
  return { url: `${origin}${pathname}`, host, port: Number(port || 443), serverName: host, path: pathname };
}

/** Straight to an address behind the service: this machine has no cluster network of its own. */
function placeOfService(store: Store, service: NonNullable<Hook["spec"]["clientConfig"]["service"]>): Place {
  const { namespace, name, path = "/", port = 443 } = service;
  const key = `${namespace}/${name}`;
  const found = store.get("/services", key)?.object as Service | undefined;
  if (!found) throw new Error(`service ${JSON.stringify(name)} not found`);
  const wanted = found.spec.ports?.find((one) => one.port === port);
  const { subsets = [] } = (store.get("/endpoints", key)?.object as Endpoints | undefined) ?? {};
  for (const { addresses = [], ports = [] } of subsets) {
    const target = ports.find((one) => (one.name ?? "") === (wanted?.name ?? ""));
    const [address] = addresses;
    if (!wanted || !target || !address) continue;
    const serverName = `${name}.${namespace}.svc`;
    return { url: `https://${serverName}:${port}${path}`, host: address.ip, port: target.port, serverName, path };
  }
  throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
}

interface Posting {
  readonly body: string;
  readonly seconds: number;
  readonly ca: string | undefined;
}

const maxAnswerBytes = 8 * 1024 * 1024;

async function post(place: Place, { body, seconds, ca }: Posting): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = httpsRequest(
    {
      host: place.host,
      port: place.port,
      method: "POST",
      path: `${place.path}?timeout=${seconds}s`,
      servername: /^[\d.:]+$/.test(place.serverName) ? "" : place.serverName,
      ...(ca === undefined ? {} : { ca: Buffer.from(ca, "base64").toString("utf8") }),
      agent,
      headers: {
        host: place.serverName,
        "content-type": "application/json",
        accept: "application/json",
        "content-length": String(Buffer.byteLength(body)),
      },
      signal: AbortSignal.timeout(seconds * 1000),
    },
    (answer) => {
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) answer.destroy(new Error("the answer is larger than 8 MiB"));
      });
      text(answer).then((said) => {
        if (answer.statusCode === 200) resolve(said);
        else reject(new Error(`the server answered ${answer.statusCode}: ${said.trim().slice(0, 300)}`));
      }, reject);
    },
  );
  sent.once("error", (error) =>
    reject(
      error.name === "TimeoutError" || error.name === "AbortError" ? new Error("context deadline exceeded") : error,
    ),
  );
  sent.end(body);
  return await promise;
}

/** Each asking has its own connection: authorities differ from webhook to webhook, and askings are few. */
const agent = new Agent({ keepAlive: false });
