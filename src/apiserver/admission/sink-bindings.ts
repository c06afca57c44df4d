import { bindObject, boundWhenWritten } from "../../api/sources/bind-sink.ts";
import type { SinkBinding } from "../../api/sources/types.gen.ts";
import type { Mutable } from "../../api/meta/object.ts";
import type { AdmissionStep } from "./admission.ts";

const bindingsResource = "sources.knative.dev/sinkbindings";

/** Programs that a SinkBinding is for begin with their sink: nothing of them starts twice, and Jobs can be bound at all. */
export const sinkBindingAdmission: AdmissionStep = {
  name: "SinkBinding",
  mutate({ operation, served, subresource, namespace, store, object }) {
    if (operation === "delete" || subresource || !object) return;
    const { group, kind } = served.definition.kind;
    if (!boundWhenWritten.some((one) => one.group === group && one.kind === kind)) return;
    if (store.count(bindingsResource) === 0) return;
    const bindings = store.list(bindingsResource, namespace).map((entry) => entry.object as SinkBinding);
    const changed = bindObject(object as never, { group, kind }, bindings);
    if (changed !== object) (object as Mutable<typeof object>)["spec"] = changed["spec"];
  },
};
