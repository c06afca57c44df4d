import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openImageStore } from "../../images/store.ts";
import type { Wanted } from "../build/detect.ts";
import type { BuildContext, Packed } from "../build/language.ts";
import { packFunction } from "../build/build-function.ts";
import { SourceError } from "../build/source.ts";
import { findPython, oldestPython } from "../hosts/find-python.ts";
import { nodeHostCommand, pythonHostCommand } from "../hosts/host-command.ts";
import { hostProgram } from "../hosts/host-program.ts";
import type { HostName } from "../hosts/protocol.ts";
import { pythonProgram } from "../hosts/python-program.ts";
import { envFiles } from "./dev-env.ts";
import type { Emit } from "./dev-events.ts";
import { createFront, type FrontFunction } from "./dev-front.ts";
import { DevFunction } from "./dev-function.ts";
import { startDevHost } from "./dev-instance.ts";
import { findAgain, type FoundFunction, type Workspace } from "../build/find-functions.ts";
import { startInspectorRelay } from "./inspector-relay.ts";
import { watchFiles } from "./watch-files.ts";

export interface DevOptions {
  readonly workspace: Workspace;
  /** What was said of the functions beside their files. */
  readonly wanted: Wanted;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
  /** Port for debuggers of the first function, the next ones for the others; undefined for none. */
  readonly inspectPort: number | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** What a function gets where neither its files nor `env` say otherwise: the configuration of a cluster. */
  readonly standardEnv?: (name: string) => Readonly<Record<string, string>>;
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Of the tools that builds run. */
  readonly toolEnv: Readonly<Record<string, string | undefined>>;
  /** As ebb's data directory: `images` for dependency layers, `cache` for the rest, shared with deployments. */
  readonly dataDir: string;
  readonly nodePath: string;
}

export interface Dev {
  readonly port: number;
  readonly functions: readonly { readonly name: string; readonly inspectPort?: number }[];
  /** Ends everything that was started. May be called more than once. */
  close(): Promise<void>;
}

/** Events of one save come within this time of each other. */
const quietMs = 12;
const startMs = 30_000;
const drainMs = 30_000;

/** Starts developing: builds every function, watches its files, and answers on one port. */
export async function startDev(options: DevOptions, emit: Emit): Promise<Dev> {
  const closers = new AsyncDisposableStack();
  try {
    const dev = await assemble(options, emit, closers);
    const undo = closers.move();
    let closing: Promise<void> | undefined;
    return { ...dev, close: () => (closing ??= undo.disposeAsync()) };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

async function assemble(options: DevOptions, emit: Emit, closers: AsyncDisposableStack): Promise<Omit<Dev, "close">> {
  const workDir = makeWorkDir();
  closers.defer(() => rm(workDir, { recursive: true, force: true }));
  const shared = { options, emit, workDir, hostCommand: hostCommands(options) };
  const functions = options.workspace.functions.map((found): Member => developOne(shared, found, closers));
  const server = createFront(functions, emit);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  closers.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1000).unref();
      }),
  );
  const { inspectPort } = options;
  // Debuggers of other languages speak protocols of their own.
  const isNode = options.workspace.functions.map(({ source }) => source.language === "node");
  const inspected = functions.map(({ dev }, i) => {
    const before = isNode.slice(0, i).filter(Boolean).length;
    return { dev, port: inspectPort === undefined || !isNode[i] ? undefined : inspectPort + before };
  });
  for (const { dev, port } of inspected)
    if (port !== undefined) {
      const relay = await startInspectorRelay(port, async () => (await dev.current())?.instance.inspectorPort);
      closers.defer(() => void relay.close());
    }
  await Promise.all(functions.map((f) => f.start()));
  return {
    port: (server.address() as AddressInfo).port,
    functions: functions.map(({ name }, i) => {
      const port = inspected[i]?.port;
      return { name, ...(port === undefined ? {} : { inspectPort: port }) };
    }),
  };
}

/** Scratch named after this process; what killed ones have left is removed. */
function makeWorkDir(): string {
  const prefix = "ebb-dev-";
  for (const name of readdirSync(tmpdir()))
    if (name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length).split("-")[0])))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  return mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

interface Shared {
  readonly options: DevOptions;
  readonly emit: Emit;
  readonly workDir: string;
  readonly hostCommand: (name: HostName) => Promise<readonly string[]>;
}

/** The words that run each kind of host, found out once and only when a function needs it. */
function hostCommands(options: DevOptions): (name: HostName) => Promise<readonly string[]> {
  const known = new Map<HostName, Promise<readonly string[]>>();
  const cacheDir = join(options.dataDir, "cache");
  const find = async (name: HostName): Promise<readonly string[]> => {
    if (name === "node") {
      const flags = ["--enable-source-maps", ...(options.inspectPort === undefined ? [] : ["--inspect=127.0.0.1:0"])];
      return nodeHostCommand(options.nodePath, await hostProgram("node", cacheDir), flags);
    }
    const python = await findPython(options.toolEnv["PATH"] ?? "");
    if (python) return pythonHostCommand(python.path, pythonProgram(cacheDir));
    throw new SourceError(`there is no Python of at least ${oldestPython.join(".")} on PATH: install python3`);
  };
  return (name) => {
    const command = known.get(name) ?? find(name);
    known.set(name, command);
    // Asked again at the next edit: it may be installed meanwhile.
    command.catch(() => known.delete(name));
    return command;
  };
}

interface Member extends FrontFunction {
  readonly start: () => Promise<void>;
}

function developOne(shared: Shared, found: FoundFunction, closers: AsyncDisposableStack): Member {
  const { options, emit, workDir, hostCommand } = shared;
  const { source } = found;
  const { name, dir } = source;
  const envDirs = [...new Set([...(options.workspace.root === undefined ? [] : [options.workspace.root]), dir])];
  const layersDir = join(options.dataDir, "cache", "dev-layers");
  mkdirSync(layersDir, { recursive: true });
  const store = openImageStore(join(options.dataDir, "images"));
  closers.defer(() => store.close());
  const note = (message: string): void => emit({ type: "progress", function: name, message });
  const building = (signal: AbortSignal): BuildContext => ({
    store,
    cacheDir: join(options.dataDir, "cache"),
    note,
    env: options.toolEnv,
    signal,
  });
  const watch = watchFiles(quietMs, (files) => dev.change(files, performance.now() - quietMs));
  closers.defer(() => watch.close());
  const ownFiles = [join(dir, source.entry), ...envDirs.flatMap((d) => envFiles.map((file) => join(d, file)))];
  let inputs: readonly string[] = [];
  // Whatever is missing may be about to be written beside a file that is alone otherwise.
  const follow = (packed: Packed | undefined): Promise<void> => {
    inputs = packed?.inputs ?? inputs;
    const folders = packed?.inputs || !found.alone ? [] : [dir];
    return watch.update({ trees: found.alone ? [] : [dir], folders, files: [...ownFiles, ...inputs] });
  };
  const dev: DevFunction = new DevFunction(
    {
      detect: () => findAgain(found, options.wanted),
      pack: (now, signal) => packFunction(building(signal), now),
      startHost: async (host) =>
        startDevHost(await hostCommand(host), host === "node" && options.inspectPort !== undefined),
      layers: { layersDir, store },
      emit,
      built: (packed) => void follow(packed),
    },
    {
      name,
      dir,
      envDirs,
      env: options.env,
      standardEnv: options.standardEnv?.(name) ?? {},
      baseEnv: options.baseEnv,
      workDir: join(workDir, name),
      startMs,
      drainMs,
    },
  );
  closers.defer(() => dev.close());
  const start = async (): Promise<void> => {
    await follow(undefined);
    dev.change([], performance.now());
  };
  return { name, dir, dev, start };
}
