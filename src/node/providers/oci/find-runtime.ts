import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../../telemetry/logger.ts";
import { openOverlay, overlayWords } from "./launch-script.ts";
import { runCommand } from "./run-command.ts";

/** An OCI runtime of this machine that was seen to work. */
export interface FoundRuntime {
  /** `runc`: as found on PATH. */
  readonly file: string;
  /** It can leave an ended container to us, whose control group then tells why it ended. */
  readonly keeps: boolean;
}

export type RuntimeSearch =
  | { readonly kind: "found"; readonly runtime: FoundRuntime }
  /** `message` says what to install, or why what is installed does not work. */
  | { readonly kind: "none"; readonly message: string };

/** The lightest first. */
const candidates = ["crun", "runc", "runsc"] as const;

/**
 * Finds an OCI runtime by running a container with it: one may be installed and still refuse this machine's control
 * groups. `wanted` narrows the choice (a pod's runtimeClassName). Costs some 50 ms, once.
 */
export async function findRuntime(
  scratchDir: string,
  { log }: { readonly log: Logger },
  wanted: readonly string[] = candidates,
): Promise<RuntimeSearch> {
  if (process.platform !== "linux") return { kind: "none", message: "OCI containers need Linux" };
  const refusals: string[] = [];
  for (const file of wanted) {
    const refusal = await tryRuntime(file, scratchDir);
    if (refusal === undefined) {
      const { stdout } = await runCommand(file, ["run", "--help"]);
      return { kind: "found", runtime: { file, keeps: stdout.includes("--keep") } };
    }
    if (refusal !== "missing") refusals.push(`${file} does not work here: ${refusal}`);
    log.debug("OCI runtime not used", { runtime: file, reason: refusal });
  }
  const install = `no OCI runtime (${wanted.join(", ")}) is installed: install the package ${wanted.includes("crun") ? "crun or runc" : wanted[0]}`;
  return { kind: "none", message: refusals.length > 0 ? refusals.join("; ") : install };
}

/** Runs /bin/true of this machine in a container; undefined when that went well. */
async function tryRuntime(file: string, scratchDir: string): Promise<string | undefined> {
  mkdirSync(scratchDir, { recursive: true });
  const dir = mkdtempSync(join(scratchDir, "try-"));
  try {
    writeFileSync(join(dir, "config.json"), JSON.stringify(trialBundle(join(dir, "m"), process.getuid?.() !== 0)));
    mkdirSync(join(dir, "empty"));
    const command = [file, "--root", join(dir, "state"), "run", "--bundle", dir, `ebb-try-${process.pid}-${file}`];
    const rootless = process.getuid?.() !== 0;
    const enter = rootless ? ["unshare", "--user", "--map-root-user", "--net"] : [];
    const [first = file, ...rest] = [...enter, ...overlayWords(dir, join(dir, "empty"), rootless), ...command];
    const { code, stderr } = await runCommand(first, rest);
    if (code === 0) return undefined;
    return code === 127 ? "missing" : lastLine(stderr) || `exit code ${code}`;
  } finally {
    await openOverlay(dir);
    rmSync(dir, { recursive: true, force: true });
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

/** The machine's own programs in an otherwise empty root. */
const trialBundle = (root: string, rootless: boolean): Readonly<Record<string, unknown>> => ({
  ociVersion: "1.0.2",
  process: { user: { uid: 0, gid: 0 }, args: ["/bin/true"], cwd: "/", env: ["PATH=/usr/bin:/bin"] },
  root: { path: root, readonly: true },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    ...["/bin", "/lib", "/lib64", "/usr"]
      .filter((path) => existsSync(path))
      .map((path) => ({ destination: path, type: "bind", source: realpathSync(path), options: ["rbind", "ro"] })),
  ],
  linux: {
    namespaces: ["pid", "mount", "ipc", "uts", ...(rootless ? [] : ["network"])].map((type) => ({ type })),
    ...(rootless ? {} : { resources: { pids: { limit: 64 } } }),
  },
});
