import { PodKind } from "../../api/core/kinds.ts";
import type { Pod } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { CommandError, firstArg, numberOption, textOption, type Command, type CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOption, targetOptions } from "../target.ts";

export const logs: Command = {
  name: "logs",
  summary: "print what a service's instances write",
  description: "Prints the output of all instances of a service. With -f it stays and joins instances as they start.",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [
    namespaceOption,
    { flags: "-f, --follow", summary: "stay and print what comes" },
    { flags: "--tail <n>", summary: "only the last lines of each instance" },
    ...targetOptions,
  ],
  examples: ["ebb logs hello", "ebb logs -f hello --tail 10"],
  run: async (context, input) => {
    const client = await connect(context, input);
    const name = firstArg(input);
    const namespace = textOption(input, "namespace") ?? "default";
    await client.get(KnativeServiceKind, { namespace, name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      throw new CommandError(`there is no service "${name}" in namespace ${namespace}; "ebb get" lists what there is`);
    });
    const labelSelector = `serving.knative.dev/service=${name}`;
    const tail = numberOption(input, "tail", 0);
    const query = tail === undefined ? "" : `&tailLines=${tail}`;
    if (input.options["follow"] !== true) {
      const pods = await client.list(PodKind, { namespace, labelSelector });
      if (pods.items.length === 0)
        context.note(`${name} is asleep: it has no instance now, and so no log; -f waits for one`);
      for (const pod of pods.items) await copyLog(context, client, pod, query);
      return;
    }
    await follow(context, client, { namespace, labelSelector }, query);
  },
};

async function follow(
  context: CommandContext,
  client: HttpClient,
  pods: { readonly namespace: string; readonly labelSelector: string },
  query: string,
): Promise<void> {
  const joined = new Map<string, Promise<void>>();
  while (!context.signal.aborted) {
    for await (const event of client.watch(PodKind, { ...pods, signal: context.signal })) {
      if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
      const uid = event.object.metadata.uid ?? "";
      const started = event.object.status?.containerStatuses?.some((c) => c.state?.running ?? c.state?.terminated);
      if (started && !joined.has(uid)) joined.set(uid, copyLog(context, client, event.object, `&follow=true${query}`));
    }
  }
}

async function copyLog(context: CommandContext, client: HttpClient, pod: Pod, query: string): Promise<void> {
  const { namespace = "default", name } = pod.metadata;
  const container = pod.spec.containers[0]?.name ?? "";
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${encodeURIComponent(container)}${query}`;
  try {
    const answer = await client.raw(path, { accept: "*/*", signal: context.signal });
    for await (const chunk of answer.body) context.stdout.write(chunk);
  } catch (error) {
    if (!context.signal.aborted && !isNotFound(error))
      context.note(`ebb: the log of ${name} broke off: ${error instanceof Error ? error.message : error}`);
  }
}
