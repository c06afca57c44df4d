import { text } from "node:stream/consumers";
import { formatDuration } from "../api/meta/duration.ts";
import { PodKind } from "../api/core/kinds.ts";
import type { Pod } from "../api/core/types.gen.ts";
import { KnativeServiceKind, RevisionKind } from "../api/serving/kinds.ts";
import type { Condition, Service } from "../api/serving/types.gen.ts";
import type { HttpClient } from "../client/http-client.ts";
import { CommandError } from "./command.ts";

export interface Waiting {
  /** Ends the wait by the user's wish. */
  readonly signal: AbortSignal;
  readonly waitMs: number;
  readonly tell: (line: string) => void;
}

/**
 * Watches a Service until it is ready for its newest generation, telling each new reason on the way. Throws a
 * CommandError when it turns out not to become ready, with the failing condition's message, and when it takes longer
 * than `waitMs`, with what it waited for and the last lines of the program.
 */
export async function waitForReady(client: HttpClient, service: Service, waiting: Waiting): Promise<Service> {
  const { namespace = "default", name } = service.metadata;
  const tooLong = AbortSignal.timeout(waiting.waitMs);
  const signal = AbortSignal.any([waiting.signal, tooLong]);
  const seen: { told: string; last: Service } = { told: "", last: service };
  while (!signal.aborted) {
    try {
      const ready = await watchOnce(client, { ...waiting, signal }, seen);
      if (ready) return ready;
    } catch (error) {
      if (error instanceof CommandError || !signal.aborted) throw error;
    }
  }
  if (waiting.signal.aborted) throw waiting.signal.reason;
  const after = formatDuration(waiting.waitMs);
  const why = seen.told === "" ? "" : `: ${seen.told}`;
  const advice = `ebb keeps trying; "ebb get services ${name} -n ${namespace}" shows how it goes, --wait waits longer`;
  const output = await lastOutput(client, seen.last);
  throw new CommandError(
    `${namespace}/${name} is not ready after ${after}${why}\n${output}${serving(seen.last)}${advice}`,
  );
}

/** Resolves to undefined when the watch ends by itself. */
async function watchOnce(
  client: HttpClient,
  { signal, tell }: Waiting,
  seen: { told: string; last: Service },
): Promise<Service | undefined> {
  const { namespace = "default", name } = seen.last.metadata;
  const fieldSelector = `metadata.name=${name}`;
  for await (const event of client.watch(KnativeServiceKind, { namespace, fieldSelector, signal })) {
    if (event.type === "BOOKMARK") continue;
    if (event.type === "DELETED") throw new CommandError(`service ${namespace}/${name} was deleted while it started`);
    const now = event.object;
    if (now.status?.observedGeneration !== now.metadata.generation) continue;
    seen.last = now;
    const ready = now.status?.conditions?.find((c) => c.type === "Ready");
    if (ready?.status === "True") return now;
    if (ready?.status === "False") {
      const reason = await revisionReason(client, now);
      const why = words(ready) || "no reason given";
      throw new CommandError(`${namespace}/${name} is not ready${reason}: ${why}\n${serving(now)}`.trimEnd());
    }
    const reason = ready ? words(ready) : "";
    if (reason !== "" && reason !== seen.told) tell(`waiting: ${reason}`);
    if (reason !== "") seen.told = reason;
  }
  return undefined;
}

const words = (condition: Condition): string => condition.message ?? condition.reason ?? "";

/** `hello-00001 goes on serving`, when an older revision has the traffic. */
function serving({ status }: Service): string {
  const others = (status?.traffic ?? []).flatMap((t) =>
    t.revisionName !== undefined && t.revisionName !== status?.latestCreatedRevisionName && (t.percent ?? 0) > 0
      ? [t.revisionName]
      : [],
  );
  return others.length === 0 ? "" : `${[...new Set(others)].join(", ")} goes on serving\n`;
}

/** ` (ExitCode3)`: the newest revision's own reason, which the Service's words leave out. */
async function revisionReason(client: HttpClient, { metadata, status }: Service): Promise<string> {
  const { namespace = "default" } = metadata;
  const name = status?.latestCreatedRevisionName;
  if (!name) return "";
  try {
    const revision = await client.get(RevisionKind, { namespace, name });
    const failed = revision.status?.conditions?.find((c) => c.type === "Ready" && c.status === "False");
    return failed?.reason ? ` (${failed.reason})` : "";
  } catch {
    // The Service's message is told all the same.
    return "";
  }
}

/** The last lines of the newest revision's first pod, as a paragraph; empty where there is none to be had. */
async function lastOutput(client: HttpClient, { metadata, status }: Service): Promise<string> {
  const { namespace = "default" } = metadata;
  const revision = status?.latestCreatedRevisionName;
  if (!revision) return "";
  try {
    const labelSelector = `serving.knative.dev/revision=${revision}`;
    const [pod] = (await client.list(PodKind, { namespace, labelSelector })).items;
    if (!pod) return "it has no pod\n";
    const lines = await lastLines(client, pod);
    const unheard = "a program must listen on the port in the environment variable PORT, on all addresses (0.0.0.0)\n";
    const running = pod.status?.containerStatuses?.some((c) => c.state?.running && !c.ready) ? unheard : "";
    return lines === "" ? `it has printed nothing\n${running}` : `its last output:\n${lines}${running}`;
  } catch {
    // Why it is not ready must be told even where its log cannot be had.
    return "";
  }
}

async function lastLines(client: HttpClient, { metadata, spec }: Pod): Promise<string> {
  const { namespace = "default", name } = metadata;
  const container = encodeURIComponent(spec.containers[0]?.name ?? "");
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container}&tailLines=10`;
  const answer = await client.raw(path, { accept: "*/*", signal: AbortSignal.timeout(3000) });
  const log = (await text(answer.body)).trimEnd();
  return log === "" ? "" : `${log.replaceAll(/^/gm, "    ")}\n`;
}
