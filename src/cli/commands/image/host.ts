import { join } from "node:path";
import { CommandError, firstArg, textOption, type Command } from "../../command.ts";
import { dataDirOf } from "../../target.ts";
import { ebbVersion } from "../../version.ts";
import { storeOf, storeOptions } from "./image-store.ts";

export const imageHost: Command = {
  name: "host",
  summary: "build the image of pods that wait for functions of a runtime",
  description:
    "Builds the image whose pods a cluster keeps warm: ebb's host over a base with the runtime, without a function. `ebb install` does this itself; here for clusters that take images from their own registry (`ebb image push`).",
  args: [{ name: "<runtime>", summary: "node" }],
  options: [
    { flags: "--base <image>", summary: "an image of the store with the runtime (default: made from this machine's)" },
    ...storeOptions,
  ],
  examples: ["ebb image host node", "ebb image host node --base docker.io/library/node:26-slim"],
  run: async (context, input) => {
    const runtime = firstArg(input);
    if (runtime !== "node")
      throw new CommandError(`there is no waiting host for "${runtime}"; there is one for node`, { exitCode: 2 });
    const store = storeOf(context, input);
    const [{ buildHostImage }, { makeNodeBase }] = await Promise.all([
      import("../../../functions/build/host-image.ts"),
      import("../../../images/base/node-base.ts"),
    ]);
    const base = textOption(input, "base") ?? (await makeNodeBase(store, process.execPath)).name;
    const cacheDir = join(dataDirOf(context, input), "cache");
    const made = await buildHostImage(store, { base, cacheDir, ebbVersion: ebbVersion() });
    context.print(input.options["json"] === true ? JSON.stringify(made) : `${made.name}@${made.digest}`);
    context.note(`push it with: ebb image push ${made.name} REGISTRY/NAME`);
  },
};
