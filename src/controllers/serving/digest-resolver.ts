/** Finds the digests of Revisions' images in the background, so that a slow registry holds up nothing else. */
import type { Container, ContainerImageStatus, Revision } from "../../api/serving/types.gen.ts";
import type { DeploymentConfig } from "../../api/serving/config-deployment.ts";
import type { Clock } from "../../client/clock.ts";
import type { PullsAs, ResolveDigest } from "./deps.ts";
import type { Digests } from "./revision-status.ts";

export interface DigestResolver {
  /**
   * What is known now; a first question starts the search and calls `settled` when it ends. A failure is answered for a
   * while before the next try; `settled` is called for that one too.
   */
  resolve(revision: Revision, config: DeploymentConfig, settled: () => void): Digests;
  forget(uid: string): void;
}

export interface DigestResolverDeps {
  readonly clock: Clock;
  readonly resolveDigest: ResolveDigest;
}

const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

interface Search {
  state: Digests;
  failures: number;
  retryAtMs: number;
}

export function createDigestResolver(deps: DigestResolverDeps): DigestResolver {
  const searches = new Map<string, Search>();
  return {
    resolve(revision, config, settled) {
      const { uid = "" } = revision.metadata;
      const known = knownDigests(revision, config);
      if (known) return known;
      let search = searches.get(uid);
      if (search && (search.state.kind !== "failed" || deps.clock.steadyMs() < search.retryAtMs)) return search.state;
      search ??= { state: { kind: "resolving" }, failures: 0, retryAtMs: 0 };
      searches.set(uid, search);
      void run(deps, search, revision, config).then(() => {
        settled();
        if (search.state.kind === "failed") deps.clock.after(search.retryAtMs - deps.clock.steadyMs(), settled);
      });
      return search.state;
    },
    forget: (uid) => void searches.delete(uid),
  };
}

/** Digests found before, or none to look for: each image names its own, or is from a registry that is not asked. */
function knownDigests({ spec, status }: Revision, config: DeploymentConfig): Digests | undefined {
  const { containers, initContainers = [] } = spec;
  const done = status?.containerStatuses?.length === containers.length;
  if (done)
    return { kind: "resolved", containers: status?.containerStatuses ?? [], init: status?.initContainerStatuses ?? [] };
  if (![...containers, ...initContainers].every((one) => hasDigest(one) || isSkipped(one, config))) return undefined;
  return { kind: "resolved", containers: containers.map(withoutAsking), init: initContainers.map(withoutAsking) };
}

const hasDigest = ({ image = "" }: Container): boolean => image.includes("@sha256:");

const withoutAsking = (container: Container): ContainerImageStatus => ({
  name: container.name ?? "",
  ...(hasDigest(container) && container.image ? { imageDigest: container.image } : {}),
});

function isSkipped({ image = "" }: Container, { skipTagResolving }: DeploymentConfig): boolean {
  return skipTagResolving.has(registryOf(image));
}

/** `index.docker.io` for images that name no registry. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "index.docker.io";
}

async function run(
  deps: DigestResolverDeps,
  search: Search,
  revision: Revision,
  config: DeploymentConfig,
): Promise<void> {
  const signal = AbortSignal.timeout(config.digestResolutionTimeoutMs);
  const as = pullsAs(revision);
  const digestOf = async (container: Container) => {
    const { name = "", image = "" } = container;
    if (hasDigest(container) || isSkipped(container, config)) return withoutAsking(container);
    try {
      const imageDigest = await deps.resolveDigest(image, { signal, as });
      return imageDigest === undefined ? { name } : { name, imageDigest };
    } catch (error) {
      throw new ImageError(image, error);
    }
  };
  try {
    const [containers, init] = await Promise.all([
      Promise.all(revision.spec.containers.map(digestOf)),
      Promise.all((revision.spec.initContainers ?? []).map(digestOf)),
    ]);
    search.state = { kind: "resolved", containers, init };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : String(error.cause);
    search.state = { kind: "failed", image: error.image, error: reason };
    search.failures += 1;
    search.retryAtMs = deps.clock.steadyMs() + Math.min(longestRetryMs, firstRetryMs * 2 ** (search.failures - 1));
  }
}

function pullsAs({ metadata, spec }: Revision): PullsAs {
  const { serviceAccountName, imagePullSecrets } = spec;
  return {
    namespace: metadata.namespace ?? "",
    serviceAccountName: serviceAccountName || "default",
    ...(imagePullSecrets ? { imagePullSecrets } : {}),
  };
}

class ImageError extends Error {
  readonly image: string;

  constructor(image: string, cause: unknown) {
    super(`image ${JSON.stringify(image)} could not be resolved`, { cause });
    this.image = image;
  }
}
