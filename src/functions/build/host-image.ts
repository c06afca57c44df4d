import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildImage } from "../../images/build-image.ts";
import type { LayerDirectory, LayerFile } from "../../images/layer.ts";
import { platformOf } from "../../images/oci.ts";
import type { ImageStore } from "../../images/store.ts";
import { waitingHostCommand, waitingPythonCommand } from "../hosts/host-command.ts";
import { hostProgram } from "../hosts/host-program.ts";
import type { HostName } from "../hosts/protocol.ts";
import { hostLayer } from "../languages/python/host-layer.ts";
import { rehearsalName, rehearsals } from "../hosts/node/rehearse.ts";
import { functionLabels } from "./labels.ts";

export interface HostImage {
  /** `dev.local/ebb/host-node:0.1.0@sha256:…`. */
  readonly name: string;
  readonly digest: string;
}

export interface HostImageOptions {
  readonly host: HostName;
  /** An image of the store with the runtime; its version is what functions are run by. */
  readonly base: string;
  /** Where host programs are bundled into. */
  readonly cacheDir: string;
  readonly ebbVersion: string;
}

/** What makes any image with Node in its PATH one for pods that wait. */
export async function waitingHostFiles(cacheDir: string): Promise<readonly LayerFile[]> {
  const program = await hostProgram("node-wait", cacheDir);
  const beside = Array.from({ length: rehearsals }, (_, round) => rehearsalName(round));
  return [
    { path: "ebb/host/wait.cjs", content: await readFile(program) },
    ...(await Promise.all(
      beside.map(async (name) => ({ path: `ebb/host/${name}`, content: await readFile(join(dirname(program), name)) })),
    )),
  ];
}

/** Where claims are unpacked to; a volume lies over it. */
export const waitingHostDirectories: readonly LayerDirectory[] = [{ path: "app", mode: 0o755 }];

/**
 * Builds the image of pods that wait for functions of a runtime: the host over a base with the runtime, no function. The same
 * ebb and base give the same digest.
 */
export async function buildHostImage(store: ImageStore, options: HostImageOptions): Promise<HostImage> {
  const isNode = options.host === "node";
  const files = isNode ? await waitingHostFiles(options.cacheDir) : await hostLayer();
  const name = `dev.local/ebb/host-${options.host}:${options.ebbVersion}`;
  const digest = await buildImage(store, name, {
    base: options.base,
    layers: [{ kind: "files", files, directories: waitingHostDirectories }],
    architecture: platformOf(process.arch).architecture,
    config: {
      Cmd: [...(isNode ? waitingHostCommand : waitingPythonCommand), "wait"],
      WorkingDir: "/",
      User: "65532:65532",
      ExposedPorts: { "8080/tcp": {} },
      Labels: { [functionLabels.host]: options.host },
    },
  });
  return { name, digest };
}
