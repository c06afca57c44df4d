import { readdirSync, rmdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PodSpec } from "../../../api/core/types.gen.ts";
import { ContainerStartError, type PodNetwork } from "../../runtime.ts";
import type { OciSide } from "../choose-runtime.ts";
import { createCgroupReader } from "./cgroup-usage.ts";
import { findRuntime, type FoundRuntime, type RuntimeSearch } from "./find-runtime.ts";
import { startOci, type OciRuntimeDeps } from "./oci-runtime.ts";
import { createPodNetworks, type OciPodNetwork } from "./pod-networks.ts";
import { createRootlessNetworks, type RootlessDeps } from "./rootless-networks.ts";
import { runCommand } from "./run-command.ts";

export interface OpenOciOptions {
  readonly dataDir: string;
  /** Name of the control group all containers are below. */
  readonly cgroup: string;
  /** Of this process; what needs root is done otherwise when it is not 0. */
  readonly uid: number | undefined;
}

type OciDeps = Omit<OciRuntimeDeps, "cgroups"> & RootlessDeps;

export interface Oci extends OciSide {
  /** Removes containers and networks that an earlier ebb on this directory left running; before the first pod. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** The OCI side of the node: nothing is looked for or made before the first pod that needs it. */
export function openOci(deps: OciDeps, { dataDir, cgroup, uid }: OpenOciOptions): Oci {
  const stateDir = join(dataDir, "run", "oci");
  const networks = uid === 0 ? createPodNetworks(dataDir, deps) : createRootlessNetworks(dataDir, deps);
  const own = new WeakMap<PodNetwork, { readonly network: OciPodNetwork; readonly runtime: FoundRuntime }>();
  const searches = new Map<string, Promise<RuntimeSearch>>();
  const withCgroups = { ...deps, cgroups: createCgroupReader() };

  /** A failed search is repeated for the next pod: someone may have installed what was missing. */
  async function runtimeFor({ runtimeClassName }: PodSpec): Promise<FoundRuntime> {
    const wanted = classes[runtimeClassName ?? "oci"] ?? [runtimeClassName ?? ""];
    const key = wanted.join();
    let search = searches.get(key);
    if (!search) searches.set(key, (search = findRuntime(join(stateDir, "try"), deps, wanted)));
    const found = await search;
    if (found.kind === "found") return found.runtime;
    searches.delete(key);
    throw new ContainerStartError("CreateContainerError", `this pod needs an OCI runtime: ${found.message}`);
  }

  return {
    async open(spec) {
      const runtime = await runtimeFor(spec);
      const network = await networks.open();
      own.set(network, { network, runtime });
      return network;
    },
    async start(request) {
      const mine = request.network && own.get(request.network);
      if (!mine) throw new Error(`the network of ${request.title} is not one of the OCI provider`);
      return await startOci(withCgroups, { stateDir, cgroup, uid }, { request, ...mine });
    },
    async sweep() {
      for (const runtime of await readdir(stateDir).catch(() => [])) await deleteAll(runtime, join(stateDir, runtime));
      await networks.sweep();
    },
    async close() {
      await networks.close();
      if (uid === 0) removeGroups(cgroup);
    },
  };
}

/** Runtimes make the group above their containers' ones and leave it, in every hierarchy there is. */
function removeGroups(name: string): void {
  const root = "/sys/fs/cgroup";
  for (const dir of ["", ...readdirSync(root)]) {
    try {
      rmdirSync(join(root, dir, name));
    } catch {
      // Not there, or a container is left in it, which the next ebb on this directory ends.
      continue;
    }
  }
}

/** Names of runtime classes people use; any other is taken for the runtime's own name. */
const classes: Readonly<Record<string, readonly string[]>> = {
  oci: ["crun", "runc", "runsc"],
  gvisor: ["runsc"],
};

async function deleteAll(runtime: string, state: string): Promise<void> {
  for (const name of await readdir(state).catch(() => []))
    await runCommand(runtime, ["--root", state, "delete", "--force", name]);
}
