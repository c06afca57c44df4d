import { join } from "node:path";
import { baseFlags } from "../base-images.ts";
import { buildAll, findSources, sizeWords, sourceFlags, wantedOf } from "../build-source.ts";
import { type Command, type CommandContext, type CommandInput } from "../command.ts";
import { pushFlags } from "../push-built.ts";
import { createProgress } from "../progress.ts";
import { dataDirOf, jsonOption, namespaceOption } from "../target.ts";

export const build: Command = {
  name: "build",
  summary: "build functions into images, without deploying them",
  description:
    "Builds into the image store of the data directory, which ebb deploys from. --explain says what a path was taken for and why, and what else it could have been, and builds nothing.",
  args: [{ name: "[path...]", summary: "files or folders (default: the current folder)" }],
  options: [
    { flags: "--name <name>", summary: "name of the image (default: of the folder or file)" },
    namespaceOption,
    ...sourceFlags,
    ...baseFlags,
    ...pushFlags,
    { flags: "--explain", summary: "say why the source is taken for what it is" },
    { flags: "--data <dir>", summary: "data directory whose image store is built into (EBB_DATA; default ~/.ebb)" },
    jsonOption,
  ],
  examples: [
    "ebb build examples/hello",
    "ebb build . --explain",
    "ebb build api.ts --base node:26-slim --push ghcr.io/me/api:v1",
  ],
  run: async (context, input) => {
    if (input.options["explain"] === true) return await explain(context, input);
    const { openImageStore } = await import("../../images/store.ts");
    const store = openImageStore(join(dataDirOf(context, input), "images"));
    const progress = createProgress({
      terminal: context.stdout === process.stdout && process.stderr.isTTY ? process.stderr : undefined,
      note: context.note,
      color: context.env["NO_COLOR"] === undefined,
    });
    try {
      const { functions } = await findSources(context, input);
      const namespace = typeof input.options["namespace"] === "string" ? input.options["namespace"] : "default";
      const built = await buildAll(context, input, { found: functions, store, progress, namespace, attested: true });
      progress.end();
      for (const { source, image, digest, layers, ms } of built)
        context.print(
          input.options["json"] === true
            ? JSON.stringify({ name: source.name, language: source.language, image, digest, layers })
            : `${image} (${sizeWords(layers)}, ${(ms / 1000).toFixed(2)} s)`,
        );
      return 0;
    } finally {
      progress.end();
      store.close();
    }
  },
};

async function explain(context: CommandContext, input: CommandInput): Promise<number> {
  const { explainSource } = await import("../../functions/build/detect.ts");
  const wanted = await wantedOf(context, input);
  let failed = 0;
  for (const path of input.args.length === 0 ? ["."] : input.args) {
    const { source, candidates, error } = await explainSource(path, wanted);
    if (!source) failed = 1;
    if (input.options["json"] === true) {
      context.print(JSON.stringify({ path, source, candidates, error: error?.message }));
      continue;
    }
    if (source) {
      context.print(`${path}: ${source.language}, ${source.entry}, as "${source.name}"`);
      const { model = "asked of its exports when it is loaded", target, signature } = source;
      context.print(
        `  model    ${model}${target === undefined ? "" : `, target ${target}`}${signature === undefined ? "" : `, ${signature}`}`,
      );
      for (const reason of source.reasons) context.print(`  because  ${reason}`);
    } else context.print(`${path}: ${error?.message ?? "no function"}`);
    for (const c of candidates)
      context.print(
        `  ${c.chosen ? "taken    " : "left out "}${c.language} ${c.entry} (${c.reasons.join(", ")}): ${c.verdict}`,
      );
  }
  return failed;
}
