/** AdmissionReview, version v1 (k8s.io/api/admission/v1): what a webhook is asked, and what its answer says. */
import type { Status } from "../../api/meta/types.gen.ts";
import type { AdmissionRequest } from "../admission/admission.ts";
import type { Served } from "../registry/catalog.ts";
import { toServed } from "../registry/intake.ts";
import { isObject, type JsonObject } from "../schema/json-value.ts";

export type Review = Readonly<JsonObject>;

/** Everything but the uid, which differs with every asking. */
export function makeReview(request: AdmissionRequest, asked: Served): Review {
  const { served, operation, subresource, namespace, name, user, dryRun } = request;
  const gvk = ({ definition: { kind } }: Served) => ({ group: kind.group, version: kind.version, kind: kind.kind });
  const gvr = ({ definition: { kind } }: Served) => ({
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
  });
  const shown = (object: object | undefined): unknown =>
    object === undefined ? null : withoutManaged(toServed(asked, object));
  return {
    kind: gvk(asked),
    resource: gvr(asked),
    ...(subresource === undefined ? {} : { subResource: subresource }),
    requestKind: gvk(served),
    requestResource: gvr(served),
    ...(subresource === undefined ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    operation: operation.toUpperCase(),
    userInfo: {
      username: user.name,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    object: shown(request.object),
    oldObject: shown(request.old),
    dryRun,
    options: { apiVersion: "meta.k8s.io/v1", kind: optionsKinds[operation] },
  };
}

const optionsKinds = { create: "CreateOptions", update: "UpdateOptions", delete: "DeleteOptions" } as const;

/** Cut off from the live object too: it may be changed by the next webhook. */
function withoutManaged(object: object): unknown {
  const copy = JSON.parse(JSON.stringify(object)) as { metadata: { managedFields?: unknown } };
  delete copy.metadata.managedFields;
  return copy;
}

export interface Answer {
  readonly allowed: boolean;
  readonly status?: Status;
  /** Operations of a JSON patch. */
  readonly patch?: readonly unknown[];
  readonly warnings: readonly string[];
}

/** Reads a webhook's body; throws a plain Error that says what of it is wrong. */
export function readAnswer(text: string, uid: string): Answer {
  const body: unknown = JSON.parse(text);
  if (!isObject(body) || body["kind"] !== "AdmissionReview" || body["apiVersion"] !== "admission.k8s.io/v1")
    throw new Error("expected response apiVersion and kind to be admission.k8s.io/v1, AdmissionReview");
  const { response } = body;
  if (!isObject(response)) throw new Error("webhook response was absent");
  if (response["uid"] !== uid)
    throw new Error(`expected response.uid="${uid}", got ${JSON.stringify(response["uid"] ?? "")}`);
  const { allowed, status, patch, patchType, warnings } = response;
  if (patch !== undefined && patchType !== "JSONPatch")
    throw new Error(`webhook returned response.patch but response.patchType is not "JSONPatch"`);
  return {
    allowed: allowed === true,
    ...(isObject(status) ? { status: status as Status } : {}),
    ...(typeof patch === "string" ? { patch: readPatch(patch) } : {}),
    warnings: Array.isArray(warnings) ? warnings.filter((warning) => typeof warning === "string") : [],
  };
}

function readPatch(base64: string): readonly unknown[] {
  const operations: unknown = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  if (!Array.isArray(operations)) throw new Error("webhook returned a patch that is no list of operations");
  return operations;
}
