import type { Clock } from "../../../client/clock.ts";
import { HostLoadError, type HostProcess } from "../../../functions/pool/host-process.ts";
import type { HostName } from "../../../functions/hosts/protocol.ts";
import type { Hosts } from "../../../functions/pool/hosts.ts";
import type { UnpackedImage } from "../../image-source.ts";
import { ContainerStartError, type ContainerStart, type NetAddress, type RunningContainer } from "../../runtime.ts";
import type { Confinement } from "./confinement.ts";
import type { LaunchPlan } from "./launch-plan.ts";
import type { ProcessTable } from "./process-table.ts";
import type { StartSlots } from "./start-slots.ts";
import { supervise } from "./supervise.ts";

export interface FunctionDeps {
  readonly hosts: Readonly<Record<HostName, Hosts>>;
  /** For direct starts of hosts: more at once would only slow each other down. */
  readonly slots: StartSlots;
  readonly clock: Clock;
  readonly table: ProcessTable;
}

export interface FunctionOptions {
  readonly compileCacheDir: string;
  /** How long a function may take to load. */
  readonly loadTimeoutMs: number;
}

/** All that is settled before a process exists. */
export interface Start<Kind extends LaunchPlan["kind"]> {
  readonly request: ContainerStart;
  readonly image: UnpackedImage;
  readonly plan: LaunchPlan & { readonly kind: Kind };
  readonly env: Readonly<Record<string, string>>;
  readonly confinement: Confinement;
}

/** Claims a waiting host, or starts one with the claim already in its socket. */
export async function startFunction(
  deps: FunctionDeps,
  options: FunctionOptions,
  { request, image, plan, env, confinement }: Start<"host">,
): Promise<RunningContainer> {
  const hosts = deps.hosts[plan.host];
  const warm = confinement.ownProcess ? undefined : hosts.take();
  const release = warm ? deps.slots.claiming() : await deps.slots.take();
  const host = warm ?? (await startHost(hosts, confinement, release));
  const ready = host.claim({
    entry: plan.entry,
    model: plan.model,
    ...(plan.target === undefined ? {} : { target: plan.target }),
    ...(plan.signature === undefined ? {} : { signature: plan.signature }),
    env,
    cwd: plan.cwd,
    ...(plan.modulePaths === undefined ? {} : { modulePaths: plan.modulePaths }),
    compileCache: options.compileCacheDir,
    loadTimeoutMs: options.loadTimeoutMs,
    ...(confinement.user ? { user: confinement.user } : {}),
  });
  if (warm) confinement.adopt(host.pid);
  const comingAt = warm?.path?.();
  let address: NetAddress | undefined;
  let failure: HostLoadError | undefined;
  const serves = ready.then(
    ({ port, path }) => {
      address = { host: "127.0.0.1", port, ...(path === undefined ? {} : { path }) };
      release();
    },
    (error: unknown) => {
      release();
      if (error instanceof HostLoadError) failure = error;
      return new Promise<never>(() => undefined);
    },
  );
  hosts.busy();
  const running = supervise(deps, host, {
    request,
    imageId: image.digest,
    address: () => address,
    ...(comingAt === undefined ? {} : { comingAt }),
    serves,
    cause: () => (failure && failure.reason !== "HostExited" ? failure : undefined),
    env: () => (address ? { ...env, PORT: String(address.port) } : env),
    cwd: plan.cwd,
    endsItsOwn: plan.model === "stdio" || plan.model === "lambda-runtime",
    confinement,
  });
  void running.exited.then(() => confinement.release());
  return running;
}

async function startHost(hosts: Hosts, { launcher }: Confinement, release: () => void): Promise<HostProcess> {
  try {
    return await hosts.start(launcher);
  } catch (error) {
    release();
    throw new ContainerStartError("RunContainerError", error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}
