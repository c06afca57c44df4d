/**
 * The webhooks of ebb's kinds on a real API server: the same defaults and checks that the standalone server runs, by the
 * definitions of src/api. What is denied reads as it does from Knative's own webhooks.
 */
import type { KindDefinition, WriteContext } from "../../api/meta/definition.ts";
import { invalid } from "../../api/meta/errors.ts";
import type { KubeObject, Mutable } from "../../api/meta/object.ts";
import { denialText } from "../../api/meta/webhook-denial.ts";
import type { Status } from "../../api/meta/types.gen.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { AdmissionRequest, Verdict } from "./admission-review.ts";
import { jsonPatchBetween } from "./json-patch-diff.ts";

export interface AdmissionDeps {
  /** Kinds that are asked about. */
  readonly definitions: readonly KindDefinition[];
  readonly configMap: WriteContext["configMap"];
  readonly nowMs: () => number;
  readonly log: Logger;
}

export interface AdmissionWebhooks {
  /** Fills in what the author left out. */
  defaults(request: AdmissionRequest): Verdict;
  validate(request: AdmissionRequest): Verdict;
}

const allowed: Verdict = { allowed: true };

/** Answers in memory: nothing is asked of anybody. */
export function createAdmissionWebhooks(deps: AdmissionDeps): AdmissionWebhooks {
  // What is stored is what is checked: an older version has the same fields, or comes converted.
  const stored = deps.definitions.filter(({ conversion }) => conversion === undefined);
  const definitions = new Map(stored.map((definition) => [keyOfKind(definition.kind), definition]));
  const about = (request: AdmissionRequest): KindDefinition | undefined =>
    request.subResource ? undefined : definitions.get(keyOfKind(request.kind));
  return {
    defaults(request) {
      const definition = about(request);
      const { object } = request;
      const context = contextOf(request, deps);
      // What is being deleted only loses finalizers; new defaults would be an update nobody asked for.
      if (!definition || !object || !context || object.metadata.deletionTimestamp) return allowed;
      const changed = structuredClone(object) as Mutable<KubeObject>;
      try {
        definition.applyDefaults?.(changed, context);
        definition.prepare?.(changed, request.oldObject ?? undefined, context);
      } catch (error) {
        // The schema is only checked after this: of an object that has a text for a list it will say so.
        deps.log.warn("an object could not be defaulted", { err: error, kind: request.kind.kind });
        return allowed;
      }
      return { allowed: true, patch: jsonPatchBetween(object, changed) };
    },
    validate(request) {
      const definition = about(request);
      const { object } = request;
      const context = contextOf(request, deps);
      if (!definition || !object || !context || object.metadata.deletionTimestamp) return allowed;
      const errors = definition.validate?.(object, request.oldObject ?? undefined, context) ?? [];
      if (errors.length === 0) return allowed;
      const denial = typeof definition.denial === "function" ? definition.denial(object) : definition.denial;
      if (denial !== "webhook")
        return { allowed: false, status: invalid(definition.kind, object.metadata.name, errors).status };
      return { allowed: false, status: denied(`validation failed: ${denialText(errors)}`) };
    },
  };
}

const keyOfKind = ({ group, kind }: { readonly group: string; readonly kind: string }): string => `${group}/${kind}`;

function contextOf(request: AdmissionRequest, deps: AdmissionDeps): WriteContext | undefined {
  const operation = request.operation === "CREATE" ? "create" : "update";
  if (request.operation !== "CREATE" && request.operation !== "UPDATE") return undefined;
  const { username = "", groups = [], uid } = request.userInfo;
  const user = { name: username, groups, ...(uid === undefined ? {} : { uid }) };
  return { operation, user, now: deps.nowMs(), configMap: deps.configMap };
}

/** The API server puts the webhook's name in front. */
const denied = (message: string): Status => ({ status: "Failure", code: 400, reason: "BadRequest", message });
