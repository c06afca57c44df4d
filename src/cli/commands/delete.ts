import { isNotFound } from "../../api/meta/errors.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import { textOption, type Command } from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOption, targetOptions } from "../target.ts";

export const deleteCommand: Command = {
  name: "delete",
  summary: "delete services",
  description: "Deletes services with everything they own. Requests in flight are finished first.",
  args: [{ name: "<service...>", summary: "names of services" }],
  options: [namespaceOption, ...targetOptions],
  examples: ["ebb delete hello"],
  run: async (context, input) => {
    const client = await connect(context, input);
    const namespace = textOption(input, "namespace") ?? "default";
    let missing = 0;
    for (const name of input.args) {
      try {
        await client.delete(KnativeServiceKind, { namespace, name });
        context.print(`deleted ${namespace}/${name}`);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        context.note(`ebb: there is no service "${name}" in namespace ${namespace}`);
        missing += 1;
      }
    }
    return missing > 0 ? 1 : 0;
  },
};
