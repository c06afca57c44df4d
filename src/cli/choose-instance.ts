import { PodKind } from "../api/core/kinds.ts";
import type { Pod } from "../api/core/types.gen.ts";
import type { HttpClient } from "../client/http-client.ts";
import { CommandError, firstArg, textOption, type CommandInput } from "./command.ts";
import { findService, namespaceOf } from "./find-service.ts";

/**
 * The instance of a service a command is about: the one named with --instance (its whole name or the end of it), else
 * the newest that is ready. Throws a CommandError that lists them, or says that the service sleeps.
 */
export async function chooseInstance(client: HttpClient, input: CommandInput): Promise<Pod> {
  const name = firstArg(input);
  const namespace = namespaceOf(input, client);
  await findService(client, namespace, name);
  const { items } = await client.list(PodKind, { namespace, labelSelector: `serving.knative.dev/service=${name}` });
  const alive = items.filter((pod) => pod.metadata.deletionTimestamp === undefined && pod.status?.phase === "Running");
  const wanted = textOption(input, "instance");
  if (wanted !== undefined) {
    const found = alive.filter((pod) => pod.metadata.name === wanted || pod.metadata.name.endsWith(`-${wanted}`));
    if (found.length === 1 && found[0]) return found[0];
    const names = alive.map((pod) => pod.metadata.name).join(", ") || "none";
    throw new CommandError(`no running instance of ${name} is called "${wanted}"; running: ${names}`);
  }
  const newest = alive.toSorted(
    (a, b) =>
      Number(isReady(b)) - Number(isReady(a)) ||
      (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? ""),
  )[0];
  if (newest) return newest;
  throw new CommandError(`${name} is asleep: it has no running instance; a call wakes it ("ebb invoke ${name}")`);
}

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;
