import type { Container, PodSpec } from "../../api/core/types.gen.ts";
import type { PullSecrets, UnpackedImage } from "../image-source.ts";
import type { ContainerRuntime, PodNetwork, TellPod } from "../runtime.ts";

/** What runs containers that the process provider cannot: any image, in a container of its own. */
export interface OciSide {
  /** Throws ContainerStartError saying what to install when nothing on this machine can do it. */
  open(spec: PodSpec): Promise<PodNetwork>;
  start: ContainerRuntime["start"];
}

export interface ChooseDeps {
  readonly process: ContainerRuntime;
  readonly oci: OciSide;
  /** Brings the image here if the pull policy asks for it; throws ContainerStartError when it cannot be had. */
  readonly ensureImage: (
    container: Container,
    tell: TellPod,
    as: PullSecrets,
  ) => Promise<Pick<UnpackedImage, "config">>;
}

/**
 * Runs each pod where it can be run: as processes of this machine when all its images were built for that, else under
 * an OCI runtime. What the pod needs decides, and all its containers go the same way, since they share a network.
 */
export function createChosenRuntime({ process, oci, ensureImage }: ChooseDeps): ContainerRuntime {
  /** Function images are named by digest, so what was once seen of one stays true: a wake then waits for nothing. */
  const known = new Map<string, boolean>();

  async function runsAsProcess(container: Container, tell: TellPod, as: PullSecrets): Promise<boolean> {
    const reference = container.image ?? "";
    const before = known.get(reference);
    if (before !== undefined) return before;
    const image = await ensureImage(container, tell, as);
    const labels = image.config.Labels ?? {};
    const ours = reference.startsWith("dev.local/") || labels["dev.ebb.model"] !== undefined;
    if (reference.includes("@sha256:") && known.size < 10_000) known.set(reference, ours);
    return ours;
  }

  return {
    name: "ebb",
    async prepare(spec, tell, namespace) {
      const names = (spec.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : []));
      const as = { namespace, names };
      const containers = [...(spec.initContainers ?? []), ...spec.containers];
      let foreign = asksForContainer(spec);
      for (const container of containers) if (!(await runsAsProcess(container, tell, as))) foreign = true;
      return foreign ? await oci.open(spec) : undefined;
    },
    start: (request) => (request.network ? oci.start(request) : process.start(request)),
  };
}

/** A pod may ask for a container although its images would run without: by runtime class, or by needing privileges. */
function asksForContainer(spec: PodSpec): boolean {
  const named = spec.runtimeClassName !== undefined && spec.runtimeClassName !== "process";
  return named || spec.containers.some((container) => container.securityContext?.privileged === true);
}
