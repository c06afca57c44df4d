import { applyServiceAccount } from "../../api/core/pod-admission.ts";
import type { Pod, ServiceAccount } from "../../api/core/types.gen.ts";
import { forbidden } from "../../api/meta/errors.ts";
import { generateName } from "../../api/meta/names.ts";
import type { Mutable } from "../../api/meta/object.ts";
import type { PriorityClass } from "../../api/scheduling/types.gen.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

const isNewPod = ({ operation, served, subresource }: AdmissionRequest): boolean =>
  operation === "create" && served.resource === "/pods" && !subresource;

/** A pod runs as a ServiceAccount that exists, and gets its pull secrets and token. */
export const serviceAccountAdmission: AdmissionStep = {
  name: "ServiceAccount",
  mutate(request) {
    if (!isNewPod(request)) return;
    const pod = request.object as unknown as Mutable<Pod>;
    if (!pod.spec) return;
    const { served, name, namespace = "", store } = request;
    const account = pod.spec.serviceAccountName || "default";
    const found = store.get("/serviceaccounts", `${namespace}/${account}`)?.object;
    if (!found)
      throw forbidden(
        served.definition.kind,
        name,
        `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
      );
    applyServiceAccount(pod, found as ServiceAccount, generateName(""));
  },
};

/** A pod's priority is that of its class, or of the class marked as everybody's default. */
export const priorityAdmission: AdmissionStep = {
  name: "Priority",
  mutate(request) {
    if (!isNewPod(request)) return;
    const pod = request.object as unknown as Mutable<Pod>;
    if (!pod.spec) return;
    const { served, name, store } = request;
    const resource = "scheduling.k8s.io/priorityclasses";
    const wanted = pod.spec.priorityClassName;
    if (!wanted && store.count(resource) === 0) return;
    const found = wanted
      ? store.get(resource, wanted)?.object
      : store.list(resource).find(({ object }) => (object as PriorityClass).globalDefault)?.object;
    if (!found && !wanted) return;
    if (!found) throw forbidden(served.definition.kind, name, `no PriorityClass with name ${wanted} was found`);
    const { value, preemptionPolicy, metadata } = found as PriorityClass;
    pod.spec.priorityClassName = metadata.name;
    pod.spec.priority = value ?? 0;
    if (preemptionPolicy) pod.spec.preemptionPolicy = preemptionPolicy;
  },
};
