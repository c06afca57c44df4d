import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { fileToken, type ExecCluster, type Token, type TokenRenewal } from "./credentials.ts";
import { KubeconfigError, textOf } from "./kubeconfig-error.ts";
import { userConnection, type User } from "./kubeconfig-user.ts";
import { proxyOf } from "./proxy-environment.ts";

/** How to reach and speak to one API server. PEM texts, not paths. */
export interface ConnectionConfig {
  readonly server: string;
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: Token;
  /** Where the token comes from when it changes. */
  readonly renewal?: TokenRenewal;
  /** Sent with every request: impersonation, or a password. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  /** http, https or socks5. */
  readonly proxyUrl?: string;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
  /** Name of the context; absent inside a pod. */
  readonly context?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Cluster {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
  readonly "proxy-url"?: string;
  readonly extensions?: readonly { readonly name?: string; readonly extension?: unknown }[];
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
 * name the first counts, and files that do not exist are passed over while one does. Exec plugins are run
 * (client.authentication.k8s.io/v1); `environment` is what they get beside their own variables, and where a proxy is
 * named for clusters that name none. Throws {@link KubeconfigError}.
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
  const { dir, value: cluster } = find(merged, "cluster", merged.clusters, context.cluster ?? "");
  const user = context.user ? find(merged, "user", merged.users, context.user) : { dir: ".", value: {} };
  const ca = await textOf(dir, cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const server = serverOf(cluster, `${merged.source}: cluster "${context.cluster}"`);
  return present({
    server,
    ca,
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"],
    tlsServerName: cluster["tls-server-name"],
    proxyUrl: cluster["proxy-url"] ?? proxyOf(server, environment),
    namespace: context.namespace ?? "default",
    context: name,
    ...(await userConnection(user, { environment, cluster: execCluster(cluster, server, ca) })),
  });
}

/** The address; https unless it says otherwise, as client-go reads it. */
function serverOf(cluster: Cluster, where: string): string {
  const { server } = cluster;
  if (!server) throw new KubeconfigError(`${where} has no server`);
  const address = /^https?:\/\//.test(server) ? server : `https://${server}`;
  if (!URL.canParse(address)) throw new KubeconfigError(`${where}: server "${server}" is no address`);
  return address;
}

/** What a plugin is told of the cluster when it asks (`provideClusterInfo`). */
function execCluster(cluster: Cluster, server: string, ca: string | undefined): ExecCluster {
  const config = cluster.extensions?.find(({ name }) => name === "client.authentication.k8s.io/exec")?.extension;
  return {
    server,
    ...(ca === undefined ? {} : { "certificate-authority-data": Buffer.from(ca).toString("base64") }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { "insecure-skip-tls-verify": true } : {}),
    ...(cluster["tls-server-name"] === undefined ? {} : { "tls-server-name": cluster["tls-server-name"] }),
    ...(cluster["proxy-url"] === undefined ? {} : { "proxy-url": cluster["proxy-url"] }),
    ...(config === undefined ? {} : { config }),
  };
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
  let read = false;
  for (const file of files) {
    const config = await readConfig(file, files.length > 1);
    if (!config) continue;
    read = true;
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
  if (!read) throw new KubeconfigError(`none of ${files.join(", ")} exists`);
  return { source: files.join(", "), currentContext, contexts, clusters, users };
}

async function readConfig(file: string, mayBeMissing: boolean): Promise<Readonly<Record<string, unknown>> | undefined> {
  const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (mayBeMissing && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KubeconfigError(`cannot read kubeconfig ${file}: ${why(error)}`, { cause: error });
  });
  if (text === undefined) return undefined;
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

function present(values: Readonly<Record<string, unknown>> & { readonly server: string; readonly namespace: string }) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as unknown as ConnectionConfig;
}
