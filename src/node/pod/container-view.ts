import type { ContainerState } from "../../api/core/types.gen.ts";

/** What one container is doing, as far as a pod's status says it. A new value for every change. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly containerId: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly restartCount: number;
  /** Startup probe passed, or none asked. */
  readonly started: boolean;
  readonly ready: boolean;
  /** Why it is not ready although it runs, when more can be said than that. */
  readonly hint?: string;
  /** It has ended and will not be started again. */
  readonly over: boolean;
}

export function waitingView(name: string, image: string, reason: string): ContainerView {
  return {
    name,
    image,
    imageId: "",
    containerId: "",
    state: { waiting: { reason } },
    lastState: {},
    restartCount: 0,
    started: false,
    ready: false,
    over: false,
  };
}
