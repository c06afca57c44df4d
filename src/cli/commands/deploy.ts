import { join } from "node:path";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import { buildFunction } from "../../functions/build/build-function.ts";
import { detectSource } from "../../functions/build/detect.ts";
import type { FunctionSource } from "../../functions/build/source.ts";
import { openImageStore } from "../../images/store.ts";
import {
  CommandError,
  durationOption,
  firstArg,
  listOption,
  numberOption,
  textOption,
  type Command,
  type CommandInput,
} from "../command.ts";
import { connect } from "../connect.ts";
import { makeFunctionService, type FunctionSettings } from "../make-function-service.ts";
import { dataDirOf, jsonOption, namespaceOption, runningOf, targetOptions } from "../target.ts";
import { waitForReady } from "../wait-for-ready.ts";

export const deploy: Command = {
  name: "deploy",
  summary: "deploy a function from its source",
  description:
    "Builds the function at a path (a .ts, .js or .py file, or a folder with one) into an image and applies it as a Knative Service. Returns when it is ready to answer, or says why it is not, with the last words of the program.",
  args: [{ name: "<path>", summary: "file or folder" }],
  options: [
    { flags: "--name <name>", summary: "name of the Service (default: of the folder or file)" },
    namespaceOption,
    { flags: "-e, --env <NAME=value>", summary: "environment variable; may be repeated", repeat: true },
    { flags: "--min <n>", summary: "instances kept when nobody calls (default 0)" },
    { flags: "--max <n>", summary: "instances at most (default: no limit)" },
    { flags: "--concurrency <n>", summary: "requests one instance takes at once (default: no limit)" },
    { flags: "--timeout <seconds>", summary: "longest request (default 300)" },
    { flags: "--port <n>", summary: "port the program listens on when it cannot read PORT" },
    { flags: "--wait <duration>", summary: "how long it may take to become ready", default: "60s" },
    { flags: "--dry-run", summary: "print the manifest and change nothing" },
    jsonOption,
    ...targetOptions,
  ],
  examples: ["ebb deploy examples/hello", "ebb deploy api.ts --name api --env GREETING=hi --max 5"],
  run: async (context, input) => {
    const started = performance.now();
    const source = await sourceOf(input);
    const waitMs = durationOption(input, "wait") ?? 60_000;
    const namespace = textOption(input, "namespace") ?? "default";
    if (input.options["dryRun"] !== true) runningOf(context, input);
    const store = openImageStore(join(dataDirOf(context, input), "images"));
    context.note(`building ${source.name}: ${source.reasons.join(", ")}`);
    const cacheDir = join(dataDirOf(context, input), "cache");
    const building = { store, cacheDir, env: context.env, note: context.note, signal: context.signal };
    const built = await buildFunction(building, source, namespace);
    for (const warning of built.warnings) context.note(`warning: ${warning}`);
    const service = makeFunctionService({ name: source.name, namespace, image: built.image, ...settingsOf(input) });
    if (input.options["dryRun"] === true) {
      context.print(JSON.stringify(service, undefined, 2));
      return;
    }
    const client = await connect(context, input);
    const key = { namespace, name: source.name };
    context.note(`applying service ${namespace}/${source.name}`);
    const patch = { type: "apply", body: service } as const;
    const applied = await client.patch(KnativeServiceKind, key, patch, { fieldManager: "ebb-deploy", force: true });
    const ready = await waitForReady(client, applied, { signal: context.signal, waitMs, tell: context.note });
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    if (input.options["json"] === true)
      context.print(
        JSON.stringify({
          name: source.name,
          namespace,
          url: ready.status?.url,
          revision: ready.status?.latestReadyRevisionName,
          image: built.image,
        }),
      );
    else
      context.print(
        `${source.name} is ready at ${ready.status?.url} (${ready.status?.latestReadyRevisionName}, ${seconds} s)`,
      );
  },
};

async function sourceOf(input: CommandInput): Promise<FunctionSource> {
  const source = await detectSource(firstArg(input));
  const name = textOption(input, "name");
  return name === undefined ? source : { ...source, name };
}

function settingsOf(input: CommandInput): FunctionSettings {
  const env = listOption(input, "env").map((text) => {
    const at = text.indexOf("=");
    if (at <= 0) throw new CommandError(`--env: "${text}" is not NAME=value`, { exitCode: 2 });
    return { name: text.slice(0, at), value: text.slice(at + 1) };
  });
  const given = {
    minScale: numberOption(input, "min", 0),
    maxScale: numberOption(input, "max", 0),
    concurrency: numberOption(input, "concurrency", 0),
    timeoutSeconds: numberOption(input, "timeout", 1),
    port: numberOption(input, "port", 1),
  };
  return {
    env,
    ...(Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as Partial<FunctionSettings>),
  };
}
