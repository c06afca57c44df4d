import { KnativeServiceKind, RevisionKind } from "../../api/serving/kinds.ts";
import type { Revision, Service } from "../../api/serving/types.gen.ts";
import { CommandError, durationOption, firstArg, textOption, type Command } from "../command.ts";
import { connect } from "../connect.ts";
import { findService, namespaceOf } from "../find-service.ts";
import { rolledBack } from "../rolled-back.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";
import { waitForTraffic } from "../wait-for-traffic.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "send a service's traffic to an older revision",
  description:
    "Sends all traffic to the newest ready revision before the one that has it now, or to the one named. Nothing is built or started anew. The next `ebb deploy` sends traffic to the newest revision again, once that is ready; `--to latest` does so at once.",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [
    { flags: "--to <revision>", summary: "this revision, or latest" },
    namespaceOption,
    { flags: "--wait <duration>", summary: "how long it may take", default: "60s" },
    jsonOption,
    ...targetOptions,
  ],
  examples: ["ebb rollback hello", "ebb rollback hello --to hello-00002", "ebb rollback hello --to latest"],
  run: async (context, input) => {
    const client = await connect(context, input);
    const name = firstArg(input);
    const namespace = namespaceOf(input, client);
    const waitMs = durationOption(input, "wait") ?? 60_000;
    const service = await findService(client, namespace, name);
    const labelSelector = `serving.knative.dev/service=${name}`;
    const { items } = await client.list(RevisionKind, { namespace, labelSelector });
    const to = targetOf(service, items, textOption(input, "to"));
    const patch = to === "latest" ? rolledBack.undone : rolledBack.to(to);
    const key = { namespace, name };
    const patched = await client.patch(KnativeServiceKind, key, { type: "merge", body: patch });
    const ready = await waitForTraffic(client, patched, { signal: context.signal, waitMs, tell: context.note });
    const serving = (ready.status?.traffic ?? []).map((t) => t.revisionName).join(", ");
    if (input.options["json"] === true)
      context.print(JSON.stringify({ name, namespace, revision: serving, url: ready.status?.url }));
    else {
      context.print(`${name} is served by ${serving} at ${ready.status?.url}`);
      if (to !== "latest") context.note('the next "ebb deploy" sends traffic to the newest revision again');
    }
  },
};

/** Generation counts revisions of one Service up. */
const generationOf = (revision: Revision): number =>
  Number(revision.metadata.labels?.["serving.knative.dev/configurationGeneration"] ?? 0);

const isReady = (revision: Revision): boolean =>
  revision.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;

/** The revision to go to. Throws a CommandError when there is none, or the one named cannot serve. */
export function targetOf(service: Service, revisions: readonly Revision[], to: string | undefined): string {
  if (to === "latest") return to;
  const ready = revisions.filter(isReady).toSorted((a, b) => generationOf(b) - generationOf(a));
  const names = ready.map((r) => r.metadata.name);
  const list = names.length === 0 ? "none is ready" : `ready are ${names.join(", ")}`;
  if (to !== undefined) {
    if (names.includes(to)) return to;
    const known = revisions.some((r) => r.metadata.name === to);
    throw new CommandError(known ? `revision "${to}" is not ready; ${list}` : `there is no revision "${to}"; ${list}`);
  }
  const traffic = service.status?.traffic ?? [];
  const most = traffic.toSorted((a, b) => (b.percent ?? 0) - (a.percent ?? 0))[0]?.revisionName;
  const current = revisions.find((r) => r.metadata.name === most);
  const before = ready.find((r) => current === undefined || generationOf(r) < generationOf(current));
  if (before) return before.metadata.name;
  throw new CommandError(`no ready revision is older than ${most ?? "the current one"}; ${list}`);
}
