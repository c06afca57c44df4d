import type { MadeBase } from "../../../images/base/base-image.ts";
import type { ImageStore } from "../../../images/store.ts";
import { CommandError, firstArg, textOption, type Command, type CommandContext } from "../../command.ts";
import { storeOf, storeOptions } from "./image-store.ts";

export const imageBase: Command = {
  name: "base",
  summary: "make a base image out of this machine's Node or Python",
  description:
    "Makes a base image without any registry: the runtime, the libraries it loads, certificates, user 65532; no shell. Give its name to `--base`, and what you build runs under any container runtime.",
  args: [{ name: "<runtime>", summary: "node or python" }],
  options: [
    { flags: "--program <file>", summary: "the node or python3 to take (default: the one ebb uses)" },
    ...storeOptions,
  ],
  examples: ["ebb image base node", "ebb image base python --program /usr/bin/python3.12"],
  run: async (context, input) => {
    const runtime = firstArg(input);
    const store = storeOf(context, input);
    const program = textOption(input, "program");
    if (runtime !== "node" && runtime !== "python")
      throw new CommandError(`there is no base for "${runtime}"; there are node and python`, { exitCode: 2 });
    const made = await makeBase(context, store, runtime, program);
    context.print(input.options["json"] === true ? JSON.stringify(made) : `${made.name}@${made.digest}`);
    context.note(`build over it with --base ${made.name}`);
  },
};

/** A base of this machine's runtime, or of the given program. */
export async function makeBase(
  { env }: Pick<CommandContext, "env">,
  store: ImageStore,
  runtime: "node" | "python",
  program?: string,
): Promise<MadeBase> {
  if (runtime === "node") {
    const { makeNodeBase } = await import("../../../images/base/node-base.ts");
    return await makeNodeBase(store, program ?? process.execPath);
  }
  const { findPython } = await import("../../../functions/hosts/find-python.ts");
  const { makePythonBase } = await import("../../../images/base/python-base.ts");
  const python = program ?? (await findPython(env["PATH"] ?? ""))?.path;
  if (python === undefined) throw new CommandError("there is no Python on PATH; name one with --program");
  return await makePythonBase(store, python);
}
