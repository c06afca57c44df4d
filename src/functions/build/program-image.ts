import type { LayerFile } from "../../images/layer.ts";
import type { Packed } from "./language.ts";
import { functionLabels } from "./labels.ts";
import type { FunctionSource } from "./source.ts";

export interface Program {
  /** Absolute path in the image. */
  readonly path: string;
  readonly files: readonly LayerFile[];
  readonly architecture?: string;
}

/**
 * The image of a program. One that serves HTTP on PORT is its own command; one that takes requests another way
 * (`stdio`, `lambda-runtime`) is run by the Node host, which stands between it and HTTP.
 */
export function programImage(source: FunctionSource, program: Program): Packed {
  const model = source.model ?? "server";
  const hosted = model === "stdio" || model === "lambda-runtime";
  const labels = {
    ...(hosted ? { [functionLabels.host]: "node", [functionLabels.entry]: program.path } : {}),
    [functionLabels.model]: hosted ? model : "server",
    ...(source.target === undefined ? {} : { [functionLabels.target]: source.target }),
    ...(source.signature === undefined ? {} : { [functionLabels.signature]: source.signature }),
  };
  return {
    layers: [{ kind: "files", files: program.files }],
    config: { Cmd: [program.path], WorkingDir: "/app", User: "65532", Labels: labels },
    warnings: [],
    ...(program.architecture === undefined ? {} : { architecture: program.architecture }),
  };
}

/** Node's word for a processor in the image specification's (Go's) words. */
export function imageArchitecture(arch: string = process.arch): string {
  return { x64: "amd64", ia32: "386" }[arch] ?? arch;
}
