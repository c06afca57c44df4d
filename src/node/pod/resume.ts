import type { ContainerStatus } from "../../api/core/types.gen.ts";
import type { ContainerView } from "./container-view.ts";
import { restarts } from "./restart-backoff.ts";

export interface Resumed {
  readonly view: ContainerView;
  /** The number its next start has. */
  readonly restart: number;
}

/**
 * Where a container goes on whose pod an earlier agent ran: its processes are gone, so what ran counts as killed.
 *
 * | status says | policy restarts it | then |
 * |---|---|---|
 * | waiting, never ran | – | first start |
 * | running | yes | lastState ContainerStatusUnknown, restarted |
 * | running | no | terminated ContainerStatusUnknown, over |
 * | terminated | yes | lastState kept, restarted |
 * | terminated | no | over |
 * | waiting for a restart | yes | restarted with the same count |
 */
export function resume(view: ContainerView, status: ContainerStatus, policy: string, nowIso: string): Resumed {
  const { state = {}, lastState = {}, restartCount } = status;
  const known = { imageId: status.imageID, containerId: status.containerID ?? "", restartCount };
  const terminated =
    state.terminated ??
    (state.running && {
      exitCode: 137,
      reason: "ContainerStatusUnknown",
      message: "the node agent was restarted and the container's processes with it",
      ...(state.running.startedAt === undefined ? {} : { startedAt: state.running.startedAt }),
      finishedAt: nowIso,
      ...(status.containerID === undefined ? {} : { containerID: status.containerID }),
    });
  if (terminated && !restarts(policy, terminated.exitCode)) {
    return { view: { ...view, ...known, state: { terminated }, lastState, over: true }, restart: restartCount };
  }
  if (terminated) {
    const restart = restartCount + 1;
    return { view: { ...view, ...known, restartCount: restart, lastState: { terminated } }, restart };
  }
  return { view: { ...view, ...known, lastState }, restart: restartCount };
}
