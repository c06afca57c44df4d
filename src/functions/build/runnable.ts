import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LayerSource } from "../../images/build-image.ts";
import type { RunConfig } from "../../images/oci.ts";
import { nodeHostCommand } from "../hosts/host-command.ts";
import { hostProgram } from "../hosts/host-program.ts";
import { functionLabels } from "./labels.ts";
import type { BuildContext, Packed } from "./language.ts";

/** Where the Node host lies in an image. */
const nodeHostPath = "/ebb/host/node.cjs";

/**
 * What a function's image needs beside its own layers to run under any container runtime, over a base with the
 * language's runtime: the host in a layer of its own, which all functions of one ebb share, and a command that starts
 * it. Images of programs, and those whose language brings its host along, are that already.
 */
export async function runnable(
  context: Pick<BuildContext, "cacheDir">,
  packed: Packed,
): Promise<{ readonly layers: readonly LayerSource[]; readonly config: RunConfig }> {
  const { layers, config } = packed;
  const labels = config.Labels ?? {};
  const entry = labels[functionLabels.entry];
  if (labels[functionLabels.host] === undefined || entry === undefined) return { layers, config };
  const marked = { ...config, Labels: { ...labels, [functionLabels.ownLayers]: String(layers.length) } };
  if (labels[functionLabels.host] !== "node") return { layers, config: marked };
  const program = await readFile(await hostProgram("node", join(context.cacheDir)));
  const host: LayerSource = { kind: "files", files: [{ path: nodeHostPath.slice(1), content: program }] };
  const flags = ["model", "target", "signature"] as const;
  const words = flags.flatMap((name) => {
    const value = labels[functionLabels[name]];
    return value === undefined ? [] : [`--${name}`, value];
  });
  const command = [...nodeHostCommand("node", nodeHostPath), "serve", entry, ...words];
  return { layers: [host, ...layers], config: { ...marked, Cmd: command } };
}
