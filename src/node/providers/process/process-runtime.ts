import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../client/clock.ts";
import { HostLoadError, type HostProcess } from "../../../functions/pool/host-process.ts";
import type { WarmPool } from "../../../functions/pool/warm-pool.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { createImageFinder, type ImageSource, type UnpackedImage } from "../../image-source.ts";
import {
  ContainerStartError,
  type ContainerRuntime,
  type ContainerStart,
  type NetAddress,
  type RunningContainer,
} from "../../runtime.ts";
import { planLaunch, type LaunchPlan } from "./launch-plan.ts";
import type { PortPicker } from "./port-picker.ts";
import { spawnProgram } from "./program.ts";
import type { StartSlots } from "./start-slots.ts";
import { supervise } from "./supervise.ts";

export interface ProcessRuntimeDeps {
  readonly images: ImageSource;
  readonly pool: Pick<WarmPool, "take" | "busy">;
  readonly startHost: () => HostProcess;
  /** Called in the turn of the spawn. */
  readonly spawned: (pid: number) => void;
  readonly ports: PortPicker;
  /** For direct starts of hosts. */
  readonly slots: StartSlots;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ProcessRuntimeOptions {
  /** PATH, LANG and TZ for programs: all they get of this machine's environment. */
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly compileCacheDir: string;
  /** How long a function may take to load. */
  readonly loadTimeoutMs: number;
}

/** Runs containers as processes of this machine, each in a session, home and temp directory of its own. */
export function createProcessRuntime(deps: ProcessRuntimeDeps, options: ProcessRuntimeOptions): ContainerRuntime {
  const find = createImageFinder(deps.images);
  return {
    name: "ebb-process",
    async start(request) {
      const image = await findImage(find, request.image);
      const plan = planLaunch(image, request);
      const env = makeEnv(image, request, options.baseEnv);
      if (plan.kind === "host") return await startFunction(deps, options, { request, image, plan, env });
      const port = request.serving ? await deps.ports.take() : undefined;
      try {
        const child = await spawnProgram(deps, request, { ...plan, env: { ...env, ...portEnv(port) } });
        const running = supervise(deps, child, {
          request,
          imageId: image.digest,
          address: () => (port === undefined ? undefined : { host: "127.0.0.1", port }),
          env: { ...env, ...portEnv(port) },
          cwd: plan.cwd,
        });
        if (port !== undefined) void running.exited.then(() => deps.ports.release(port));
        return running;
      } catch (error) {
        if (port !== undefined) deps.ports.release(port);
        throw error;
      }
    },
  };
}

const portEnv = (port: number | undefined): Readonly<Record<string, string>> =>
  port === undefined ? {} : { PORT: String(port) };

async function findImage(
  find: (reference: string) => Promise<UnpackedImage | undefined>,
  reference: string,
): Promise<UnpackedImage> {
  let image: UnpackedImage | undefined;
  try {
    image = await find(reference);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("not an image reference")) {
      throw new ContainerStartError("InvalidImageName", `couldn't parse image name "${reference}"`, { cause: error });
    }
    throw new ContainerStartError("ErrImagePull", `image "${reference}" could not be read: ${String(error)}`, {
      cause: error,
    });
  }
  if (image) return image;
  throw new ContainerStartError(
    "ErrImagePull",
    `image "${reference}" is not in the local store, and the process provider runs only images built here: ` +
      "build it with `ebb deploy`; foreign images need an OCI runtime (crun, runc or runsc) on this machine",
  );
}

/** Image env under pod env; then what the process itself must have right. */
function makeEnv(
  image: UnpackedImage,
  request: ContainerStart,
  base: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = { ...base };
  for (const entry of image.config.Env ?? []) {
    const at = entry.indexOf("=");
    if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1);
  }
  // Programs of the image may expect ebb's own Node, so its directory stays reachable under any PATH of the image.
  if (env["PATH"] !== undefined && env["PATH"] !== base["PATH"]) env["PATH"] += `:${base["PATH"] ?? ""}`;
  const home = join(request.dir, "home");
  const tmp = join(request.dir, "tmp");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  mkdirSync(tmp, { recursive: true, mode: 0o700 });
  Object.assign(env, { HOME: home, TMPDIR: tmp }, request.env);
  return env;
}

interface FunctionStart {
  readonly request: ContainerStart;
  readonly image: UnpackedImage;
  readonly plan: LaunchPlan & { readonly kind: "host" };
  readonly env: Readonly<Record<string, string>>;
}

/** Claims a waiting host, or starts one with the claim already in its socket. */
async function startFunction(
  deps: ProcessRuntimeDeps,
  options: ProcessRuntimeOptions,
  { request, image, plan, env }: FunctionStart,
): Promise<RunningContainer> {
  const warm = deps.pool.take();
  const release = warm ? undefined : await deps.slots.take();
  const host = warm ?? deps.startHost();
  const ready = host.claim({
    entry: plan.entry,
    model: plan.model,
    env,
    cwd: plan.cwd,
    compileCache: options.compileCacheDir,
    loadTimeoutMs: options.loadTimeoutMs,
  });
  let address: NetAddress | undefined;
  let failure: HostLoadError | undefined;
  const serves = ready.then(
    ({ port }) => {
      address = { host: "127.0.0.1", port };
    },
    (error: unknown) => {
      if (error instanceof HostLoadError) failure = error;
      return new Promise<never>(() => undefined);
    },
  );
  ready.then(
    () => release?.(),
    () => release?.(),
  );
  deps.pool.busy();
  return supervise(deps, host, {
    request,
    imageId: image.digest,
    address: () => address,
    serves,
    cause: () => (failure && failure.reason !== "HostExited" ? failure : undefined),
    env,
    cwd: plan.cwd,
  });
}
