import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { sleep, type Clock } from "../../../client/clock.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import type { UnpackedImage } from "../../image-source.ts";
import { ContainerStartError, type ContainerStart, type RunningContainer } from "../../runtime.ts";
import { forwardOutput } from "../process/exit.ts";
import { spawnProgram } from "../process/program.ts";
import type { ProcessTable } from "../process/process-table.ts";
import { makeBundle } from "./bundle.ts";
import type { CgroupReader } from "./cgroup-usage.ts";
import { containerUser } from "./container-user.ts";
import { writeEtc } from "./etc-files.ts";
import type { FoundRuntime } from "./find-runtime.ts";
import { overlayWords } from "./launch-script.ts";
import type { OciPodNetwork } from "./pod-networks.ts";
import { superviseOci } from "./supervise-oci.ts";

export interface OciRuntimeDeps {
  /** The image with its files as their owners have them. */
  readonly findImage: (reference: string) => Promise<UnpackedImage>;
  readonly cgroups: CgroupReader;
  readonly table: ProcessTable;
  /** Called in the turn of the spawn. */
  readonly spawned: (pid: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface OciRuntimeOptions {
  /** Where runtimes keep what they know of containers, one directory each. */
  readonly stateDir: string;
  /** Name of the control group all containers are below. */
  readonly cgroup: string;
  /** Of this process; 0 is root. */
  readonly uid: number | undefined;
}

export interface OciStart {
  readonly request: ContainerStart;
  readonly network: OciPodNetwork;
  readonly runtime: FoundRuntime;
}

/** How long a runtime may take to make a container; it takes some 30 ms. */
const createWithinMs = 20_000;

/** Starts one container under an OCI runtime, in the foreground: the runtime's process ends as the container does. */
export async function startOci(
  deps: OciRuntimeDeps,
  options: OciRuntimeOptions,
  { request, network, runtime }: OciStart,
): Promise<RunningContainer> {
  const image = await deps.findImage(request.image);
  const { dir, id } = request;
  const name = `ebb-${id}`;
  const rootless = options.uid !== 0;
  // The one user there is without root: this process's, who is root inside and nobody special outside.
  const wanted = containerUser(image.root, image.config.User ?? "", request.security);
  const user = rootless ? { ...wanted, uid: 0, gid: 0, additionalGids: [] } : wanted;
  const hostname = request.env["HOSTNAME"] ?? basename(id);
  await mkdir(join(dir, "bundle"), { recursive: true, mode: 0o711 });
  const etc = await writeEtc(join(dir, "etc"), { hostname, ip: network.ip });
  const cgroupsPath = `/${options.cgroup}/${name}`;
  const bundle = makeBundle({
    request,
    user,
    hostname,
    etc,
    cgroupsPath,
    image: image.config,
    root: join(dir, "overlay", "m"),
    networkNamespace: network.namespace,
    rootless,
  });
  await writeFile(join(dir, "bundle", "config.json"), JSON.stringify(bundle));
  const state = join(options.stateDir, runtime.file);
  const [pidFile, logFile] = [join(dir, "pid"), join(dir, "runtime.log")];
  const global = ["--root", state, "--log", logFile, "--log-format", "json"];
  const keep = runtime.keeps ? ["--keep"] : [];
  const command = [...global, "run", ...keep, "--bundle", join(dir, "bundle"), "--pid-file", pidFile, name];
  const child = await spawnProgram(deps, {
    file: runtime.file,
    args: command,
    cwd: "/",
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    stdin: request.stdin,
    confinement: {
      launcher: [...network.enter, ...overlayWords(join(dir, "overlay"), image.root, rootless)],
      user: undefined,
    },
  });
  // At once: Node throws away what an ended child's pipes hold unless somebody listens.
  const output = forwardOutput(child, request.output);
  let ended = false;
  void child.exited.then(() => (ended = true));
  const pid = await waitForPid(deps.clock, pidFile, () => ended);
  return superviseOci(deps, child, {
    request,
    output,
    pid,
    name,
    cgroupsPath,
    keeps: runtime.keeps,
    imageId: image.digest,
    runtime: [...network.enter, runtime.file, "--root", state],
    address: request.port === undefined ? undefined : network.address(request.port),
    failure: () => runtimeFailure(logFile),
  });
}

/** The container's first process, once the runtime has made it; undefined when the runtime has ended before. */
async function waitForPid(clock: Clock, file: string, ended: () => boolean): Promise<number | undefined> {
  const deadline = clock.now() + createWithinMs;
  for (;;) {
    const pid = Number(readText(file));
    if (pid > 0) return pid;
    if (ended()) return undefined;
    if (clock.now() > deadline)
      throw new ContainerStartError("CreateContainerError", "the OCI runtime has not made the container within 20 s");
    await sleep(clock, 2, new AbortController().signal);
  }
}

/** What the runtime itself complained of last; undefined when it had no complaint. */
function runtimeFailure(logFile: string): string | undefined {
  for (const line of readText(logFile).trim().split("\n").toReversed()) {
    try {
      const entry = JSON.parse(line) as { readonly level?: string; readonly msg?: string };
      if (entry.level === "error" || entry.level === "fatal") return entry.msg;
    } catch {
      continue;
    }
  }
  return undefined;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
