import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../command.ts";

/** What was said once about a cluster and holds until it is said otherwise. */
export interface ContextSettings {
  /** Address of the API server it was said of: many clusters have contexts of one name. */
  readonly server: string;
  /** Where images go, as the cluster's nodes name it: `ghcr.io/me`. */
  readonly registry?: string;
  /** The same registry as this machine reaches it, where that differs: `localhost:5001/me`. */
  readonly pushRegistry?: string;
  /** Plain HTTP or any certificate. */
  readonly insecure?: boolean;
}

/** `<data>/contexts.json`: settings by the name of a kubeconfig's context. */
type File = Readonly<Record<string, ContextSettings>>;

const fileOf = (dataDir: string): string => join(dataDir, "contexts.json");

/** A context of a kubeconfig, and where what is known of it is kept. */
export interface ContextPlace {
  readonly dataDir: string;
  readonly context: string;
  readonly server: string;
}

/** What is known of a context; nothing when it now leads to another server. */
export function readContextSettings({ dataDir, context, server }: ContextPlace): Partial<ContextSettings> {
  const known = readAll(dataDir)[context];
  return known?.server === server ? known : {};
}

/** Keeps settings for a context; those of others stay as they are. */
export function keepContextSettings(
  { dataDir, context, server }: ContextPlace,
  settings: Omit<ContextSettings, "server">,
): void {
  const all: File = { ...readAll(dataDir), [context]: { server, ...settings } };
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${fileOf(dataDir)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, fileOf(dataDir));
}

function readAll(dataDir: string): File {
  const file = fileOf(dataDir);
  try {
    return JSON.parse(readFileSync(file, "utf8")) as File;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    if (!(error instanceof SyntaxError)) throw error;
    throw new CommandError(`${file} is not JSON: ${error.message}; mend or remove it`);
  }
}
