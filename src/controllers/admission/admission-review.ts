/** AdmissionReview, version v1 (k8s.io/api/admission/v1), as far as ebb's webhooks read and write it. */
import { badRequest } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { JsonPatchOperation } from "../../api/meta/requests.ts";
import type { Status } from "../../api/meta/types.gen.ts";

export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly subResource?: string;
  readonly namespace?: string;
  readonly userInfo: { readonly username?: string; readonly groups?: readonly string[]; readonly uid?: string };
  readonly object?: KubeObject | null;
  readonly oldObject?: KubeObject | null;
  readonly dryRun?: boolean;
}

export type Verdict =
  | { readonly allowed: true; readonly patch?: readonly JsonPatchOperation[] }
  | { readonly allowed: false; readonly status: Status };

/** The request in a review's body. Throws BadRequest for what is none. */
export function parseReview(text: string): AdmissionRequest {
  let body: { readonly kind?: string; readonly apiVersion?: string; readonly request?: AdmissionRequest };
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (body?.kind !== "AdmissionReview" || body.apiVersion !== "admission.k8s.io/v1")
    throw badRequest("the body must be an AdmissionReview of admission.k8s.io/v1");
  if (typeof body.request?.uid !== "string" || typeof body.request.kind?.kind !== "string")
    throw badRequest("the AdmissionReview has no request");
  return body.request;
}

export function makeAnswer(uid: string, verdict: Verdict): object {
  const patch = verdict.allowed && verdict.patch && verdict.patch.length > 0 ? verdict.patch : undefined;
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: verdict.allowed,
      ...(verdict.allowed ? {} : { status: verdict.status }),
      ...(patch ? { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") } : {}),
    },
  };
}
