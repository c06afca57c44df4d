import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ImageError } from "../image-error.ts";

/** How one registry knows the user. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** Exchanged at the token server for short-lived tokens. */
  | { readonly kind: "identity-token"; readonly token: string };

export type FindCredentials = (registry: string) => Promise<Credentials | undefined>;

export interface CredentialPlaces {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs a credential helper; replaced in tests. */
  readonly runHelper?: RunHelper;
}

/** Runs `docker-credential-<name> get` with the server's address on its input; resolves to its output. */
export type RunHelper = (name: string, server: string) => Promise<string>;

interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/**
 * Reads what `docker login`, `podman login` and their credential helpers keep. Files are read anew for each registry
 * asked for: a login takes effect at once. The first file that knows the registry wins.
 */
export function dockerCredentials(places: CredentialPlaces): FindCredentials {
  const run = places.runHelper ?? ((name, server) => runHelper(name, server, places.env));
  return async (registry) => {
    for (const file of configFiles(places)) {
      const config = await readConfig(file);
      const found = config && (await fromConfig(config, registry, run));
      if (found) return found;
    }
    return undefined;
  };
}

function configFiles({ home, env }: CredentialPlaces): string[] {
  const docker = env["DOCKER_CONFIG"] ?? join(home, ".docker");
  const podman = env["XDG_RUNTIME_DIR"];
  return [
    ...(env["REGISTRY_AUTH_FILE"] === undefined ? [] : [env["REGISTRY_AUTH_FILE"]]),
    join(docker, "config.json"),
    ...(podman === undefined ? [] : [join(podman, "containers/auth.json")]),
    join(home, ".config/containers/auth.json"),
  ];
}

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as DockerConfig;
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ImageError("malformed", `${file} is not JSON: ${error.message}; mend it, or log in again`);
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "EACCES")
      throw new ImageError("malformed", `${file}, where the logins are kept, cannot be read by this user`);
    throw error;
  }
}

/** Docker Hub is filed under the address it had ten years ago. */
function keysOf(registry: string): readonly string[] {
  const hub = ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"];
  return registry === "docker.io" ? hub : [registry, `https://${registry}`, `http://${registry}`];
}

async function fromConfig(config: DockerConfig, registry: string, run: RunHelper): Promise<Credentials | undefined> {
  for (const key of keysOf(registry)) {
    const helper = config.credHelpers?.[key];
    if (helper !== undefined) return await fromHelper(helper, key, run);
    const entry = Object.entries(config.auths ?? {}).find(
      ([name]) => name.replace(/\/(v[12]\/?)?$/, "") === key.replace(/\/(v[12]\/?)?$/, ""),
    )?.[1];
    const found = entry && fromEntry(entry);
    if (found) return found;
    if (config.credsStore !== undefined && config.credsStore !== "") {
      const stored = await fromHelper(config.credsStore, key, run);
      if (stored) return stored;
    }
  }
  return undefined;
}

function fromEntry(entry: AuthEntry): Credentials | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== "")
    return { kind: "identity-token", token: entry.identitytoken };
  if (entry.username !== undefined && entry.password !== undefined)
    return { kind: "password", username: entry.username, password: entry.password };
  const pair = Buffer.from(entry.auth ?? "", "base64")
    .toString("utf8")
    .replace(/\0+$/, "");
  const at = pair.indexOf(":");
  return at < 0 ? undefined : { kind: "password", username: pair.slice(0, at), password: pair.slice(at + 1) };
}

async function fromHelper(name: string, server: string, run: RunHelper): Promise<Credentials | undefined> {
  const output = await run(name, server);
  if (/credentials not found/i.test(output)) return undefined;
  try {
    const { Username, Secret } = JSON.parse(output) as { readonly Username?: string; readonly Secret?: string };
    if (Username === undefined || Secret === undefined) return undefined;
    if (Username === "<token>") return { kind: "identity-token", token: Secret };
    return { kind: "password", username: Username, password: Secret };
  } catch (error) {
    throw new ImageError(
      "unauthorized",
      `docker-credential-${name} gave no credentials for ${server}: ${output.trim().slice(0, 200) || "no answer"}`,
      { cause: error },
    );
  }
}

async function runHelper(
  name: string,
  server: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name)) throw new ImageError("malformed", `"${name}" cannot be the name of a credential helper`);
  const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"], env: { ...env } });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? "is not installed (it is named in the Docker config)" : error.message;
      reject(new ImageError("unauthorized", `${program}, which keeps the login for ${server}, ${why}`));
    });
  });
  child.stdin.on("error", () => child.stdin.destroy());
  child.stdin.end(server);
  return await Promise.race([text(child.stdout), failed]);
}
