import { isNotFound } from "../../api/meta/errors.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { Command } from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOf } from "../find-service.ts";
import { isKindMissing, notInstalled } from "../not-installed.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";

export const deleteCommand: Command = {
  name: "delete",
  summary: "delete services",
  description:
    "Deletes services with everything they own: revisions, instances, a schedule. Requests in flight are finished first. Exit code 1 when one of them was not there; the others are deleted all the same.",
  args: [{ name: "<service...>", summary: "names of services" }],
  options: [namespaceOption, jsonOption, ...targetOptions],
  examples: ["ebb delete hello"],
  run: async (context, input) => {
    const client = await connect(context, input);
    const namespace = namespaceOf(input, client);
    let missing = 0;
    for (const name of input.args) {
      let deleted = true;
      try {
        await client.delete(KnativeServiceKind, { namespace, name });
      } catch (error) {
        if (isKindMissing(error)) throw notInstalled(client);
        if (!isNotFound(error)) throw error;
        deleted = false;
        missing += 1;
      }
      if (input.options["json"] === true) context.print(JSON.stringify({ name, namespace, deleted }));
      else if (deleted) context.print(`deleted ${namespace}/${name}`);
      else context.note(`ebb: there is no service "${name}" in namespace ${namespace}`);
    }
    return missing > 0 ? 1 : 0;
  },
};
