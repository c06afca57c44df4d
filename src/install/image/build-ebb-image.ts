import { makeNodeBase } from "../../images/base/node-base.ts";
import { buildImage, type LayerSource } from "../../images/build-image.ts";
import { platformOf } from "../../images/oci.ts";
import type { ImageStore } from "../../images/store.ts";
import { bundleProgram, programFile, type ProgramSource } from "./bundle-program.ts";

export interface EbbImage {
  /** `dev.local/ebb:0.1.0`. */
  readonly name: string;
  readonly digest: string;
}

/**
 * Builds ebb's own image out of this machine: its Node and the libraries it loads beneath, ebb's program above, user
 * 65532, nothing else. The same ebb on the same machine gives the same digest.
 */
export async function buildEbbImage(
  store: ImageStore,
  {
    program,
    version,
    nodePath,
    hosts,
  }: {
    readonly program: ProgramSource;
    readonly version: string;
    readonly nodePath: string;
    /** What pods that wait for functions run: they use the same image, which nodes then have already. */
    readonly hosts: LayerSource;
  },
): Promise<EbbImage> {
  const [base, files] = await Promise.all([makeNodeBase(store, nodePath), bundleProgram(program)]);
  const name = `dev.local/ebb:${version}`;
  const digest = await buildImage(store, name, {
    base: base.name,
    layers: [{ kind: "files", files }, hosts],
    config: { Entrypoint: ["/usr/local/bin/node", programFile], Cmd: ["run", "--help"] },
    architecture: platformOf(process.arch).architecture,
    annotations: {
      "org.opencontainers.image.title": "ebb",
      "org.opencontainers.image.version": version,
    },
  });
  return { name, digest };
}
