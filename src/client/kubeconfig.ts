import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import {
  fileToken,
  runExecPlugin,
  type ExecCredential,
  type ExecPlugin,
  type Token,
  type TokenRenewal,
} from "./credentials.ts";

/** How to reach and speak to one API server. PEM texts, not paths. */
export interface ConnectionConfig {
  readonly server: string;
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: Token;
  /** Where the token comes from when it changes. */
  readonly renewal?: TokenRenewal;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
}

/** The kubeconfig cannot be used; the message names the file and what is wrong in it. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Cluster {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
  readonly "proxy-url"?: string;
}

interface User {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly exec?: ExecPlugin;
}

interface Context {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/** A named part of a file; paths in it are relative to the file. */
interface Part<T> {
  readonly dir: string;
  readonly value: T;
}

interface Merged {
  /** The files, for messages. */
  readonly source: string;
  readonly currentContext: string | undefined;
  readonly contexts: ReadonlyMap<string, Part<Context>>;
  readonly clusters: ReadonlyMap<string, Part<Cluster>>;
  readonly users: ReadonlyMap<string, Part<User>>;
}

/**
 * Reads one context of a kubeconfig file, or of several as the KUBECONFIG variable lists them: of two parts with one
 * name the first counts. Exec plugins are run (client.authentication.k8s.io/v1); `environment` is what they get beside
 * their own variables. Throws {@link KubeconfigError}.
 */
export async function loadKubeconfig(
  files: string | readonly string[],
  contextName: string | undefined,
  environment: Environment,
): Promise<ConnectionConfig> {
  const merged = await readFiles(typeof files === "string" ? [files] : files);
  const name = contextName ?? merged.currentContext;
  if (!name) throw new KubeconfigError(`${merged.source} has no current context; choose one with --context`);
  const { value: context } = find(merged, "context", merged.contexts, name);
  const cluster = find(merged, "cluster", merged.clusters, context.cluster ?? "");
  const user = context.user ? find(merged, "user", merged.users, context.user) : { dir: ".", value: {} };
  const { server, ...rest } = cluster.value;
  if (!server) throw new KubeconfigError(`${merged.source}: cluster "${context.cluster}" has no server`);
  return present({
    server,
    ca: await textOf(cluster.dir, rest["certificate-authority-data"], rest["certificate-authority"]),
    insecureSkipTlsVerify: rest["insecure-skip-tls-verify"],
    tlsServerName: rest["tls-server-name"],
    proxyUrl: rest["proxy-url"],
    namespace: context.namespace ?? "default",
    ...(await credentials(user, environment)),
  });
}

async function credentials({ dir, value: user }: Part<User>, environment: Environment): Promise<object> {
  const certificate = {
    clientCertificate: await textOf(dir, user["client-certificate-data"], user["client-certificate"]),
    clientKey: await textOf(dir, user["client-key-data"], user["client-key"]),
  };
  if (user.exec) return { ...certificate, ...(await execCredentials(user.exec, environment)) };
  if (user.token) return { ...certificate, token: { value: user.token } };
  if (!user.tokenFile) return certificate;
  const renewal = fileToken(resolve(dir, user.tokenFile));
  return { ...certificate, renewal, token: await renewal.renew() };
}

async function execCredentials(plugin: ExecPlugin, environment: Environment): Promise<object> {
  const run = async (): Promise<ExecCredential> => {
    try {
      return await runExecPlugin(plugin, environment);
    } catch (error) {
      throw new KubeconfigError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  };
  const tokenOf = ({ token = "", expiresAtMs }: ExecCredential): Token => ({
    value: token,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  });
  const first = await run();
  const { clientCertificate, clientKey } = first;
  const certificate = { ...(clientCertificate ? { clientCertificate } : {}), ...(clientKey ? { clientKey } : {}) };
  if (first.token === undefined) return certificate;
  return { ...certificate, token: tokenOf(first), renewal: { renew: async () => tokenOf(await run()) } };
}

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The connection of a pod to its own cluster, from the files and variables every pod has. */
export async function inClusterConfig(
  environment: Environment,
  dir: string = serviceAccountDir,
): Promise<ConnectionConfig> {
  const host = environment["KUBERNETES_SERVICE_HOST"];
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "443";
  if (!host) throw new KubeconfigError("not in a cluster: KUBERNETES_SERVICE_HOST is not set");
  const renewal = fileToken(resolve(dir, "token"));
  const [token, ca, namespace] = await Promise.all([
    renewal.renew(),
    readFile(resolve(dir, "ca.crt"), "utf8"),
    readFile(resolve(dir, "namespace"), "utf8"),
  ]);
  const address = host.includes(":") ? `[${host}]` : host;
  return { server: `https://${address}:${port}`, token, renewal, ca, namespace: namespace.trim() };
}

async function readFiles(files: readonly string[]): Promise<Merged> {
  const contexts = new Map<string, Part<Context>>();
  const clusters = new Map<string, Part<Cluster>>();
  const users = new Map<string, Part<User>>();
  let currentContext: string | undefined;
  for (const file of files) {
    const config = await readConfig(file);
    const collect = <T>(into: Map<string, Part<T>>, list: unknown, field: string): void => {
      for (const entry of Array.isArray(list) ? list : []) {
        const { name, [field]: value }: Readonly<Record<string, T>> & { readonly name?: string } = entry;
        if (typeof name === "string" && value && !into.has(name)) into.set(name, { dir: dirname(file), value });
      }
    };
    collect(contexts, config["contexts"], "context");
    collect(clusters, config["clusters"], "cluster");
    collect(users, config["users"], "user");
    const current = config["current-context"];
    if (typeof current === "string" && current !== "") currentContext ??= current;
  }
  return { source: files.join(", "), currentContext, contexts, clusters, users };
}

async function readConfig(file: string): Promise<Readonly<Record<string, unknown>>> {
  const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new KubeconfigError(`cannot read kubeconfig ${file}: ${why(error)}`, { cause: error });
  });
  try {
    return parse(text) ?? {};
  } catch (error) {
    throw new KubeconfigError(`kubeconfig ${file} is no YAML: ${why(error)}`, { cause: error });
  }
}

function find<T>(merged: Merged, what: string, parts: ReadonlyMap<string, Part<T>>, name: string): Part<T> {
  const found = parts.get(name);
  if (found) return found;
  const known = [...parts.keys()].join(", ");
  throw new KubeconfigError(`${merged.source} has no ${what} "${name}"; it has ${known === "" ? "none" : known}`);
}

async function textOf(dir: string, base64: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (base64 !== undefined) return Buffer.from(base64, "base64").toString("utf8");
  if (path === undefined) return undefined;
  const file = resolve(dir, path);
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new KubeconfigError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  });
}

function present(values: Readonly<Record<string, unknown>> & { readonly server: string; readonly namespace: string }) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as unknown as ConnectionConfig;
}
