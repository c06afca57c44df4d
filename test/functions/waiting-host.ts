/** For tests: a waiting host as a process, with everything it would have in a pod. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { findPython } from "../../src/functions/hosts/find-python.ts";
import { pythonHostCommand } from "../../src/functions/hosts/host-command.ts";
import { hostProgram } from "../../src/functions/hosts/host-program.ts";
import { claimerName, type HostName } from "../../src/functions/hosts/protocol.ts";
import { pythonProgram } from "../../src/functions/hosts/python-program.ts";
import type { Claimer, LayerToPush, RemotePlace } from "../../src/functions/pool/remote-host.ts";
import { digestOf } from "../../src/images/digest.ts";
import { packLayer, type LayerFile } from "../../src/images/layer.ts";
import { dayMs, issueCertificate, type KeyedCertificate } from "../../src/pki/certificate.ts";
import { freePort } from "../free-port.ts";

export interface WaitingHost extends AsyncDisposable {
  readonly place: RemotePlace;
  readonly port: number;
  readonly appDir: string;
  /** What it shows claimers; may be written anew. */
  readonly tokenFile: string;
  readonly child: ChildProcess;
  printed(): string;
  readonly exited: Promise<number | null>;
}

export const now = Date.now();

export const makeAuthority = (): KeyedCertificate => issueCertificate({ commonName: "ebb", use: "ca", now, days: 1 });

export function makeClaimer(authority: KeyedCertificate, commonName: string = claimerName, days = 1): Claimer {
  return issueCertificate({ commonName, use: "client", now: days > 0 ? now : now - 2 * dayMs, days: 1 }, authority);
}

export interface HostSettings {
  readonly ca: string;
  /** Default: node. */
  readonly host?: HostName;
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const cache = join(tmpdir(), `ebb-test-hosts-${process.getuid?.() ?? 0}`);

async function pythonWords(): Promise<readonly string[]> {
  const python = await findPython(process.env["PATH"] ?? "");
  if (!python) throw new Error("no Python on PATH");
  return pythonHostCommand(python.path, pythonProgram(cache));
}

export const hostToken = "the token of this pod";

/** `words` follow those that say where it is. */
export async function startWaitingHost(settings: HostSettings): Promise<WaitingHost> {
  const program = await hostProgram("node-wait", cache);
  const dir = mkdtempSync(join(tmpdir(), "ebb-waiting-"));
  const [appDir, tokenFile] = [join(dir, "app"), join(dir, "token")];
  mkdirSync(appDir);
  writeFileSync(tokenFile, `${hostToken}\n`);
  const [port, claimPort] = [await freePort(), await freePort()];
  const places = ["--port", String(port), "--claim-port", String(claimPort), "--app", appDir, "--token", tokenFile];
  const [file = "", ...before] = settings.host === "python" ? await pythonWords() : [process.execPath, program];
  const child = spawn(file, [...before, "wait", ...places, ...(settings.words ?? [])], {
    env: { PATH: process.env["PATH"], TMPDIR: dir, POD: "own", EBB_CLAIM_CA: settings.ca, ...settings.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let printed = "";
  const up = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        printed += chunk;
        if (printed.includes("waiting for a function")) resolve();
      });
    void exited.then((code) => reject(new Error(`the host ended with ${code}: ${printed}`)));
  });
  await up;
  return {
    place: { address: "127.0.0.1", port: claimPort },
    port,
    appDir,
    tokenFile,
    child,
    exited,
    printed: () => printed,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export async function layerOf(files: readonly LayerFile[]): Promise<LayerToPush> {
  const bytes = await buffer(packLayer(files));
  return { digest: digestOf(bytes), size: bytes.byteLength, bytes };
}
