import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Container, Pod, Volume, VolumeMount } from "../../api/core/types.gen.ts";
import type { EnvSources } from "../env/container-env.ts";
import { expand } from "../env/expand.ts";
import type { PodPlace } from "../env/field-ref.ts";
import { ContainerStartError, type Mount } from "../runtime.ts";
import { writeAtomically } from "./atomic-dir.ts";
import { createPodTokens, type PodTokens, type RequestToken } from "./service-account-token.ts";
import { VolumeError, volumeFiles } from "./volume-files.ts";

export interface PodVolumesDeps {
  readonly sources: EnvSources;
  readonly now: () => number;
  readonly requestToken: RequestToken;
}

/** The volumes of one pod as directories on this machine. */
export interface PodVolumes {
  /** Makes every volume that a container mounts; throws ContainerStartError when one cannot be made yet. */
  prepare(container: Container): Promise<void>;
  mounts(container: Container, env: Readonly<Record<string, string>>): readonly Mount[];
  /** Brings volumes that show objects of the API up to date. */
  refresh(pod: Pod): Promise<void>;
  /** Deletes everything; only after the last container is gone. */
  remove(): Promise<void>;
}

/**
 * The token volume that admission gives every pod. With the default account, which nothing is granted to, it is left
 * out: it would cost every function a token, a mount namespace and its warm start. Name another service account to
 * get it.
 */
export function isIdleTokenVolume(pod: Pick<Pod, "spec">, name: string): boolean {
  return name.startsWith("kube-api-access-") && (pod.spec.serviceAccountName ?? "default") === "default";
}

export function createPodVolumes(deps: PodVolumesDeps, dir: string, firstPod: Pod, place: PodPlace): PodVolumes {
  let pod = firstPod;
  const tokens: PodTokens = createPodTokens(deps.requestToken, firstPod, deps.now);
  const made = new Set<string>();
  const pathOf = (volume: string): string => join(dir, volume);

  async function make(volume: Volume): Promise<void> {
    const { emptyDir, hostPath, projected } = volume;
    if (emptyDir) {
      await mkdir(pathOf(volume.name), { recursive: true, mode: 0o777 });
      made.add(volume.name);
      return;
    }
    if (hostPath) return await makeHostPath(hostPath.path, hostPath.type ?? "");
    const projections = (projected?.sources ?? []).flatMap((source) => source.serviceAccountToken ?? []);
    if (projections.length > 0) await tokens.refresh(projections);
    const files = volumeFiles(volume, {
      pod,
      place,
      sources: deps.sources,
      token: (projection) => tokens.current(projection),
    });
    if (!files) {
      const kind = Object.keys(volume).find((key) => key !== "name") ?? "unknown";
      throw new VolumeError(
        `volumes of kind ${kind} cannot be had from the process provider: use emptyDir, configMap, secret, projected, downwardAPI or hostPath`,
      );
    }
    await writeAtomically(pathOf(volume.name), files, pod.spec.securityContext?.fsGroup);
    made.add(volume.name);
  }

  const mounted = (container: Container): readonly VolumeMount[] =>
    (container.volumeMounts ?? []).filter((mount) => !isIdleTokenVolume(pod, mount.name));

  return {
    async prepare(container) {
      for (const name of new Set(mounted(container).map((mount) => mount.name))) {
        const volume = pod.spec.volumes?.find((v) => v.name === name);
        if (!volume) throw new ContainerStartError("CreateContainerConfigError", `pod has no volume "${name}"`);
        try {
          await make(volume);
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          throw new ContainerStartError(
            "CreateContainerConfigError",
            `MountVolume.SetUp failed for volume "${name}" : ${why}`,
            { cause: error },
          );
        }
      }
    },
    mounts(container, env) {
      return mounted(container).map(({ name, mountPath, readOnly, subPath, subPathExpr }) => {
        const volume = pod.spec.volumes?.find((v) => v.name === name);
        const root = volume?.hostPath?.path ?? pathOf(name);
        const sub = subPath ?? (subPathExpr === undefined ? "" : expand(subPathExpr, (key) => env[key]));
        if (sub.split("/").includes("..")) {
          throw new ContainerStartError("CreateContainerConfigError", `subPath "${sub}" leads out of its volume`);
        }
        const shows = volume?.emptyDir === undefined && volume?.hostPath === undefined;
        return { hostPath: join(root, sub), mountPath, readOnly: readOnly === true || shows };
      });
    },
    async refresh(next) {
      pod = next;
      for (const name of made) {
        const volume = pod.spec.volumes?.find((v) => v.name === name);
        if (volume && !volume.emptyDir) await make(volume);
      }
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Types as the API defines them; the empty one checks nothing. */
async function makeHostPath(path: string, type: string): Promise<void> {
  const facts = await stat(path).catch(() => undefined);
  if (type === "DirectoryOrCreate" && !facts) await mkdir(path, { recursive: true, mode: 0o755 });
  else if (type === "FileOrCreate" && !facts) await writeFile(path, "", { mode: 0o644 });
  else if (type.startsWith("Directory") && !facts?.isDirectory())
    throw new VolumeError(`hostPath type check failed: ${path} is not a directory`);
  else if (type.startsWith("File") && !facts?.isFile())
    throw new VolumeError(`hostPath type check failed: ${path} is not a file`);
}
