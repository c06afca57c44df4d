/** The webhook that tells programs of SinkBindings of their sink as they are written. */
import { bindObject } from "../../api/sources/bind-sink.ts";
import { SinkBindingKind } from "../../api/sources/kinds.ts";
import type { Informers } from "../../client/informer.ts";
import type { AdmissionRequest, Verdict } from "./admission-review.ts";
import { jsonPatchBetween } from "./json-patch-diff.ts";

const allowed: Verdict = { allowed: true };

/** Answers in memory. */
export function sinkBinder(informers: Informers): (request: AdmissionRequest) => Verdict {
  const bindings = informers.of(SinkBindingKind);
  return ({ kind, subResource, operation, object, namespace }) => {
    if (!object || subResource || object.metadata.deletionTimestamp) return allowed;
    if (operation !== "CREATE" && operation !== "UPDATE") return allowed;
    const changed = bindObject(object, kind, bindings.list(namespace ?? object.metadata.namespace));
    return changed === object ? allowed : { allowed: true, patch: jsonPatchBetween(object, changed) };
  };
}
