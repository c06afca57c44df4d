import type { ContainerStatus, Pod } from "../../api/core/types.gen.ts";

/** What a kubelet says of a container that more time alone does not start. */
const hopeless: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "CrashLoopBackOff",
]);

/** What stands in the way of a pod's start, in Kubernetes' words; undefined while it only needs time. */
export function startTrouble({ status, spec }: Pod): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") return scheduled.message;
  const [container] = status?.containerStatuses ?? [];
  return container && containerTrouble(container, spec.containers[0]?.image ?? "");
}

function containerTrouble({ state, lastState }: ContainerStatus, image: string): string | undefined {
  const { reason = "", message = "" } = state?.waiting ?? {};
  if (hopeless.has(reason)) return `image ${image}: ${reason}${message && `: ${message}`}`;
  const ended = lastState?.terminated ?? state?.terminated;
  if (!ended || ended.exitCode === 0) return undefined;
  const last = ended.message?.trim().slice(-300) ?? "";
  return `the host of image ${image} ended with ${ended.exitCode}${last && `: ${last}`}`;
}
