import type { ContainerView } from "./container-view.ts";

/** Ways of waiting that are the way to the first start, not a failure. */
const onTheWay = new Set(["ContainerCreating", "PodInitializing"]);

/** Why a container does not serve, in one line; undefined while nothing has gone wrong. */
export function failureOf({ state, lastState, name }: ContainerView): string | undefined {
  const ended = state.terminated ?? (state.waiting ? lastState.terminated : undefined);
  if (ended && ended.reason !== "Completed") {
    const message = ended.message === undefined ? "" : `: ${firstLine(ended.message)}`;
    return `${name} ended with ${ended.reason ?? "Error"}, exit code ${ended.exitCode}${message}`;
  }
  const { reason, message } = state.waiting ?? {};
  if (reason === undefined || onTheWay.has(reason) || message === undefined) return undefined;
  return `${name} cannot start, ${reason}: ${firstLine(message)}`;
}

const firstLine = (text: string): string => (text.trim().split("\n")[0] ?? "").slice(0, 300);
