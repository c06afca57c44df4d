import { isNotFound } from "../api/meta/errors.ts";
import { KnativeServiceKind } from "../api/serving/kinds.ts";
import type { CommandContext, CommandInput } from "./command.ts";
import { connect } from "./connect.ts";
import { namespaceOf } from "./find-service.ts";
import { isKindMissing, notInstalled } from "./not-installed.ts";
import { serviceVariables, type ResolvedVariable } from "./service-config.ts";

/**
 * The variables of the Services of some names, by name, where a command was told to look. Says of each where it comes
 * from, never what a Secret holds.
 */
export async function readRemoteConfig(
  context: CommandContext,
  input: CommandInput,
  names: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const client = await connect(context, input);
  const namespace = namespaceOf(input, client);
  const found = new Map<string, Readonly<Record<string, string>>>();
  try {
    for (const name of names) {
      const service = await client.get(KnativeServiceKind, { namespace, name }).catch((error: unknown) => {
        if (isKindMissing(error)) throw notInstalled(client);
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (!service) {
        context.note(`${name}: there is no such service in namespace ${namespace} there; it gets only what is here`);
        continue;
      }
      const { variables, missing } = await serviceVariables(client, service);
      found.set(name, Object.fromEntries(variables.map((variable) => [variable.name, variable.value])));
      context.note(`${name}: ${variables.length} variables of ${namespace}/${name} at ${client.config.server}`);
      for (const variable of variables) context.note(`  ${variable.name}  ${words(variable)}`);
      for (const line of missing) context.note(`  not here: ${line}`);
      if ((service.spec.template.spec.volumes ?? []).length > 0)
        context.note("  not here: its volumes, which are folders of the cluster's containers");
    }
    return found;
  } finally {
    await client.close();
  }
}

const words = ({ value, from }: ResolvedVariable): string => from ?? `"${value}" (in the Service)`;
