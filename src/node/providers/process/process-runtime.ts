import { join } from "node:path";
import { createImageFinder, type ImageSource, type UnpackedImage } from "../../image-source.ts";
import { strictly } from "../image-of-container.ts";
import { type ContainerRuntime, type ContainerStart, type RunningContainer } from "../../runtime.ts";
import { confine, type ConfinementDeps } from "./confinement.ts";
import { planLaunch } from "./launch-plan.ts";
import type { PortPicker } from "./port-picker.ts";
import { spawnProgram } from "./program.ts";
import { startFunction, type FunctionDeps, type FunctionOptions, type Start } from "./start-function.ts";
import { supervise } from "./supervise.ts";

export interface ProcessRuntimeDeps extends FunctionDeps, Omit<ConfinementDeps, "uid"> {
  readonly images: ImageSource;
  /** Called in the turn of the spawn. */
  readonly spawned: (pid: number) => void;
  readonly ports: PortPicker;
}

export interface ProcessRuntimeOptions extends FunctionOptions {
  /** PATH, LANG and TZ for programs: all they get of this machine's environment. */
  readonly baseEnv: Readonly<Record<string, string>>;
}

/** Runs containers as processes of this machine, each in a session, home and temp directory of its own. */
export function createProcessRuntime(deps: ProcessRuntimeDeps, options: ProcessRuntimeOptions): ContainerRuntime {
  const find = strictly(createImageFinder(deps.images));
  return {
    name: "ebb-process",
    prepare: () => Promise.resolve(undefined),
    async start(request) {
      const image = await find(request.image);
      const plan = planLaunch(image, request);
      const env = makeEnv(image, request, options.baseEnv);
      const confinement = confine({ ...deps, uid: process.getuid?.() }, request, plan.cwd);
      if (plan.kind === "host") return await startFunction(deps, options, { request, image, plan, env, confinement });
      return await startProgram(deps, { request, image, plan, env, confinement });
    },
  };
}

async function startProgram(deps: ProcessRuntimeDeps, start: Start<"program">): Promise<RunningContainer> {
  const { request, image, plan, confinement } = start;
  const serves = request.serving || (request.mayServe === true && exposesDefault(image));
  const port = serves ? await deps.ports.take() : undefined;
  const env = { ...start.env, ...portEnv(port) };
  const release = (): void => {
    if (port !== undefined) deps.ports.release(port);
    confinement.release();
  };
  try {
    const child = await spawnProgram(deps, { ...plan, env, stdin: request.stdin, confinement });
    const running = supervise(deps, child, {
      request,
      imageId: image.digest,
      address: () => (port === undefined ? undefined : { host: "127.0.0.1", port }),
      env: () => env,
      cwd: plan.cwd,
      confinement,
    });
    void running.exited.then(release);
    return running;
  } catch (error) {
    release();
    throw error;
  }
}

/** What EXPOSE says of a program that listens on PORT, or on 8080 without one: all that ebb builds. */
const exposesDefault = ({ config }: UnpackedImage): boolean => config.ExposedPorts?.["8080/tcp"] !== undefined;

const portEnv = (port: number | undefined): Readonly<Record<string, string>> =>
  port === undefined ? {} : { PORT: String(port) };

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
  Object.assign(env, { HOME: home, TMPDIR: tmp }, request.env);
  return env;
}
