import type { ServiceAccount } from "../../api/core/types.gen.ts";
import { badRequest, conflict, invalid, notFound } from "../../api/meta/errors.ts";
import { fieldError } from "../../api/meta/field-error.ts";
import { formatTime } from "../../api/meta/time.ts";
import { decodeBody } from "../decode/body.ts";
import { readBody } from "../http/body.ts";
import type { SubresourceHandler } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";
import type { Store } from "../storage/store.ts";
import { tokenIssuer, type ServiceAccountTokens, type TokenSubject } from "./service-account-tokens.ts";

const defaultSeconds = 3600;
const minSeconds = 600;
const maxSeconds = 2 ** 32;
const account = { group: "", plural: "serviceaccounts" } as const;

/** POST serviceaccounts/NAME/token: a TokenRequest, answered with the token in its status. */
export function tokenRequests(store: Store, tokens: ServiceAccountTokens): SubresourceHandler {
  return {
    ...account,
    subresource: "token",
    async handle({ request, path }, response) {
      const { namespace = "", name = "" } = path;
      const body = decodeBody(await readBody(request), request.headers["content-type"]).object;
      const status = await issueToken({ store, tokens }, { namespace, name, spec: body["spec"] });
      const { spec, metadata } = body;
      sendJson(response, 201, {
        kind: "TokenRequest",
        apiVersion: "authentication.k8s.io/v1",
        metadata: { ...(isObject(metadata) ? metadata : {}), name, namespace },
        spec: { ...(isObject(spec) ? spec : {}), ...status.spec },
        status: { token: status.token, expirationTimestamp: formatTime(status.expirationTimeMs) },
      });
    },
  };
}

interface Issuing {
  readonly store: Store;
  readonly tokens: ServiceAccountTokens;
}

interface Asked {
  readonly namespace: string;
  readonly name: string;
  readonly spec: unknown;
}

interface Issued {
  readonly token: string;
  readonly expirationTimeMs: number;
  /** The spec with its defaults. */
  readonly spec: { readonly audiences: readonly string[]; readonly expirationSeconds: number };
}

/** Checks a TokenRequest's spec and issues the token. */
async function issueToken({ store, tokens }: Issuing, { namespace, name, spec }: Asked): Promise<Issued> {
  const found = store.get("/serviceaccounts", `${namespace}/${name}`)?.object as ServiceAccount | undefined;
  if (!found) throw notFound(account, name);
  const given = isObject(spec) ? spec : {};
  const expirationSeconds = given["expirationSeconds"] ?? defaultSeconds;
  if (typeof expirationSeconds !== "number" || expirationSeconds < minSeconds)
    throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [
      fieldError.invalid(
        "spec.expirationSeconds",
        expirationSeconds,
        "may not specify a duration less than 10 minutes",
      ),
    ]);
  if (expirationSeconds > maxSeconds)
    throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [
      fieldError.invalid(
        "spec.expirationSeconds",
        expirationSeconds,
        "may not specify a duration larger than 2^32 seconds",
      ),
    ]);
  const asked = Array.isArray(given["audiences"]) ? given["audiences"].map(String) : [];
  const audiences = asked.length > 0 ? asked : [tokenIssuer];
  const reference = given["boundObjectRef"];
  const boundTo = isObject(reference) ? boundObject(store, namespace, reference) : undefined;
  const issued = await tokens.issue({
    namespace,
    account: found,
    audiences,
    expirationSeconds,
    ...(boundTo ? { boundTo } : {}),
  });
  return { ...issued, spec: { audiences, expirationSeconds } };
}

/** A token for a pod on this machine: what a kubelet asks for over HTTP. */
export interface PodTokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Empty: the API's own audience. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly pod: { readonly name: string; readonly uid: string };
}

export async function issuePodToken(
  issuing: Issuing,
  { namespace, serviceAccount, audiences, expirationSeconds, pod }: PodTokenRequest,
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const boundObjectRef = { kind: "Pod", apiVersion: "v1", ...pod };
  const spec = { audiences, expirationSeconds, boundObjectRef };
  const { token, expirationTimeMs } = await issueToken(issuing, { namespace, name: serviceAccount, spec });
  return { token, expiresAtMs: expirationTimeMs };
}

/** A token of an account for somebody else than the API: bound to nothing but the account. */
export type AccountTokenRequest = Omit<PodTokenRequest, "pod">;

export async function issueAccountToken(
  issuing: Issuing,
  { namespace, serviceAccount, audiences, expirationSeconds }: AccountTokenRequest,
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const spec = { audiences, expirationSeconds };
  const { token, expirationTimeMs } = await issueToken(issuing, { namespace, name: serviceAccount, spec });
  return { token, expiresAtMs: expirationTimeMs };
}

const boundResources = { Pod: "/pods", Secret: "/secrets", Node: "/nodes" } as const;

function boundObject(store: Store, namespace: string, reference: JsonObject): NonNullable<TokenSubject["boundTo"]> {
  const kind = reference["kind"];
  const name = String(reference["name"] ?? "");
  if (kind !== "Pod" && kind !== "Secret" && kind !== "Node")
    throw badRequest(`cannot bind token for serviceaccount to kind "${String(kind)}": it must be Pod, Secret or Node`);
  const found = store.get(boundResources[kind], kind === "Node" ? name : `${namespace}/${name}`)?.object;
  if (!found) throw notFound({ group: "", plural: boundResources[kind].slice(1) }, name);
  const { uid = "" } = found.metadata;
  const wanted = reference["uid"];
  if (wanted !== undefined && wanted !== "" && wanted !== uid)
    throw conflict(
      account,
      name,
      `the UID in the bound object reference (${String(wanted)}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return { kind, name, uid };
}
