import { isNotFound } from "../api/meta/errors.ts";
import { KnativeServiceKind } from "../api/serving/kinds.ts";
import type { Service } from "../api/serving/types.gen.ts";
import type { HttpClient } from "../client/http-client.ts";
import { CommandError, textOption, type CommandInput } from "./command.ts";
import { isKindMissing, notInstalled } from "./not-installed.ts";

/** The namespace a command means: the one named, else that of the kubeconfig's context. */
export const namespaceOf = (input: CommandInput, client: HttpClient): string =>
  textOption(input, "namespace") ?? client.config.namespace;

/** A Service by name; throws a CommandError that says what to do when there is none. */
export async function findService(client: HttpClient, namespace: string, name: string): Promise<Service> {
  try {
    return await client.get(KnativeServiceKind, { namespace, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (isKindMissing(error)) throw notInstalled(client);
    throw new CommandError(`there is no service "${name}" in namespace ${namespace}; "ebb get" lists what there is`);
  }
}
