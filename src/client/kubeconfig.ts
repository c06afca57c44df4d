import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";

/** How to reach and speak to one API server. PEM texts, not paths. */
export interface ConnectionConfig {
  readonly server: string;
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
}

/** The kubeconfig cannot be used; the message names the file and what is wrong in it. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

interface NamedList<T> {
  readonly name: string;
  readonly value: T;
}

interface Cluster {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
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

interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
}

interface Context {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/**
 * Reads one context of a kubeconfig file. Exec plugins are run once (client.authentication.k8s.io/v1); `environment`
 * is what they get beside their own variables. Throws {@link KubeconfigError}.
 */
export async function loadKubeconfig(
  file: string,
  contextName: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConnectionConfig> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new KubeconfigError(`cannot read kubeconfig ${file}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  });
  const config: Readonly<Record<string, unknown>> = parse(text) ?? {};
  const name = contextName ?? config["current-context"];
  if (typeof name !== "string" || name === "")
    throw new KubeconfigError(`${file} has no current context; choose one with --context`);
  const context = find<Context>(file, config, "contexts", "context", name);
  const cluster = find<Cluster>(file, config, "clusters", "cluster", context.cluster ?? "");
  const user = context.user ? find<User>(file, config, "users", "user", context.user) : {};
  if (!cluster.server) throw new KubeconfigError(`${file}: cluster "${context.cluster}" has no server`);
  const data = (field: string | undefined, path: string | undefined): Promise<string | undefined> =>
    textOf(dirname(file), field, path);
  const plain = {
    server: cluster.server,
    ca: await data(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    clientCertificate: await data(user["client-certificate-data"], user["client-certificate"]),
    clientKey: await data(user["client-key-data"], user["client-key"]),
    token: user.token ?? (await data(undefined, user.tokenFile))?.trim(),
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"],
    tlsServerName: cluster["tls-server-name"],
    namespace: context.namespace ?? "default",
    ...(user.exec ? await runPlugin(user.exec, environment) : {}),
  };
  return Object.fromEntries(
    Object.entries(plain).filter(([, value]) => value !== undefined),
  ) as unknown as ConnectionConfig;
}

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The connection of a pod to its own cluster, from the files and variables every pod has. */
export async function inClusterConfig(
  environment: Readonly<Record<string, string | undefined>>,
  dir: string = serviceAccountDir,
): Promise<ConnectionConfig> {
  const host = environment["KUBERNETES_SERVICE_HOST"];
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "443";
  if (!host) throw new KubeconfigError("not in a cluster: KUBERNETES_SERVICE_HOST is not set");
  const [token, ca, namespace] = await Promise.all(
    ["token", "ca.crt", "namespace"].map((name) => readFile(resolve(dir, name), "utf8")),
  );
  const address = host.includes(":") ? `[${host}]` : host;
  return {
    server: `https://${address}:${port}`,
    token: token?.trim() ?? "",
    ca: ca ?? "",
    namespace: namespace?.trim() ?? "default",
  };
}

function find<T>(
  file: string,
  config: Readonly<Record<string, unknown>>,
  list: string,
  field: string,
  name: string,
): T {
  const entries = (config[list] ?? []) as readonly (NamedList<T> & Readonly<Record<string, T>>)[];
  const entry = entries.find((e) => e.name === name)?.[field];
  if (entry) return entry;
  const known = entries.map((e) => e.name).join(", ");
  throw new KubeconfigError(`${file} has no ${field} "${name}"; it has ${known === "" ? "none" : known}`);
}

async function textOf(dir: string, base64: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (base64 !== undefined) return Buffer.from(base64, "base64").toString("utf8");
  return path === undefined ? undefined : await readFile(resolve(dir, path), "utf8");
}

async function runPlugin(
  plugin: ExecPlugin,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Pick<ConnectionConfig, "token" | "clientCertificate" | "clientKey">> {
  const own = Object.fromEntries((plugin.env ?? []).map((e) => [e.name, e.value]));
  const apiVersion = plugin.apiVersion ?? "client.authentication.k8s.io/v1";
  const KUBERNETES_EXEC_INFO = JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } });
  const env = { ...environment, ...own, KUBERNETES_EXEC_INFO };
  const { stdout } = await promisify(execFile)(plugin.command, [...(plugin.args ?? [])], { env }).catch(
    (error: unknown) => {
      throw new KubeconfigError(
        `the credential plugin "${plugin.command}" failed: ${error instanceof Error ? error.message : error}`,
        { cause: error },
      );
    },
  );
  const status: { readonly token?: string; readonly clientCertificateData?: string; readonly clientKeyData?: string } =
    JSON.parse(stdout).status ?? {};
  return {
    ...(status.token ? { token: status.token } : {}),
    ...(status.clientCertificateData ? { clientCertificate: status.clientCertificateData } : {}),
    ...(status.clientKeyData ? { clientKey: status.clientKeyData } : {}),
  };
}
