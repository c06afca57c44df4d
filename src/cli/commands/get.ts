import { builtinDefinitions } from "../../api/definitions.ts";
import { apiVersionOf, type Kind } from "../../api/meta/kind.ts";
import { CommandError, type Command } from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOf } from "../find-service.ts";
import { isKindMissing, notInstalled } from "../not-installed.ts";
import { tableLines, type Table } from "../print-table.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";

export const get: Command = {
  name: "get",
  summary: "list services, or objects of any kind",
  args: [
    { name: "[kind]", summary: "services (default), revisions, routes, pods, deployments, …" },
    { name: "[name]", summary: "one object" },
  ],
  options: [
    namespaceOption,
    { flags: "-A, --all-namespaces", summary: "of all namespaces" },
    { flags: "--wide", summary: "all columns" },
    jsonOption,
    ...targetOptions,
  ],
  examples: ["ebb get", "ebb get revisions -A", "ebb get pods --wide"],
  run: async (context, input) => {
    const [kindName = "ksvc", name] = input.args;
    const kind = kindNamed(kindName === "services" || kindName === "service" ? "ksvc" : kindName);
    const all = input.options["allNamespaces"] === true;
    const client = await connect(context, input);
    const group = kind.group === "" ? "/api/v1" : `/apis/${apiVersionOf(kind)}`;
    const scope = kind.namespaced && !all ? `/namespaces/${namespaceOf(input, client)}` : "";
    const path = `${group}${scope}/${kind.plural}${name === undefined ? "" : `/${name}`}`;
    const ask = async (accept?: string): Promise<unknown> => {
      try {
        return await (await client.raw(path, accept === undefined ? {} : { accept })).body.json();
      } catch (error) {
        throw isKindMissing(error) && kind.group.endsWith("knative.dev") ? notInstalled(client) : error;
      }
    };
    if (input.options["json"] === true) {
      context.print(JSON.stringify(await ask(), undefined, 2));
      return;
    }
    const table = (await ask("application/json;as=Table;v=v1;g=meta.k8s.io,application/json")) as Table;
    if (table.rows.length === 0)
      context.note(all ? `no ${kind.plural} anywhere` : `no ${kind.plural} in this namespace`);
    else for (const line of tableLines(table, input.options["wide"] === true)) context.print(line);
  },
};

function kindNamed(text: string): Kind {
  const wanted = text.toLowerCase();
  const found = builtinDefinitions
    .map((definition) => definition.kind)
    .find(
      (k) =>
        k.plural === wanted ||
        k.singular === wanted ||
        k.shortNames.includes(wanted) ||
        `${k.plural}.${k.group}` === wanted,
    );
  if (!found) throw new CommandError(`no kind "${text}"; "ebb kubectl api-resources" lists them`);
  return found;
}
