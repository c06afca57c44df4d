import { join } from "node:path";
import { CommandError, firstArg, textOption, type Command } from "../../command.ts";
import { dataDirOf } from "../../target.ts";
import { ebbVersion } from "../../version.ts";
import { makeBase } from "./base.ts";
import { storeOf, storeOptions } from "./image-store.ts";

export const imageHost: Command = {
  name: "host",
  summary: "build the image of pods that wait for functions of a runtime",
  description:
    "Builds the image whose pods a cluster keeps warm: ebb's host over a base with the runtime, without a function. For Node, `ebb install` does this itself: ebb's own image is one. Push it (`ebb image push`) and name it to the controller (`--warm-node-image`, `--warm-python-image`).",
  args: [{ name: "<runtime>", summary: "node or python" }],
  options: [
    { flags: "--base <image>", summary: "an image of the store with the runtime (default: made from this machine's)" },
    ...storeOptions,
  ],
  examples: [
    "ebb image host node",
    "ebb image host python",
    "ebb image host node --base docker.io/library/node:26-slim",
  ],
  run: async (context, input) => {
    const runtime = firstArg(input);
    if (runtime !== "node" && runtime !== "python")
      throw new CommandError(`there is no waiting host for "${runtime}"; there are node and python`, { exitCode: 2 });
    const store = storeOf(context, input);
    const { buildHostImage } = await import("../../../functions/build/host-image.ts");
    const base = textOption(input, "base") ?? (await makeBase(context, store, runtime)).name;
    const cacheDir = join(dataDirOf(context, input), "cache");
    const made = await buildHostImage(store, { host: runtime, base, cacheDir, ebbVersion: ebbVersion() });
    context.print(input.options["json"] === true ? JSON.stringify(made) : `${made.name}@${made.digest}`);
    context.note(`push it with: ebb image push ${made.name} REGISTRY/NAME`);
  },
};
