import { SecretKind, ServiceAccountKind } from "../../api/core/kinds.ts";
import { isApiError } from "../../api/meta/errors.ts";
import type { HttpClient } from "../../client/http-client.ts";
import { isImageError } from "../../images/image-error.ts";
import { parseImageReference } from "../../images/reference.ts";
import { headManifest } from "../../images/registry/manifests.ts";
import type { Credentials, FindCredentials } from "../../images/registry/credentials.ts";
import type { RegistryClient } from "../../images/registry/registry-client.ts";
import { CommandError, textOption, type CommandInput, type Option } from "../command.ts";

export const pullSecretFlags: readonly Option[] = [
  { flags: "--pull-secret <name>", summary: "with --context: Secret of the namespace that pods pull the image with" },
  {
    flags: "--share-login",
    summary: "with --context: store your own login to the registry as such a Secret, where none is there",
  },
];

export interface PullNeeds {
  readonly client: HttpClient;
  readonly namespace: string;
  /** `ghcr.io/me/hello@sha256:…`, as the cluster names it. */
  readonly image: string;
  /** The same image as this machine names it, asked for without a login. */
  readonly anonymous: RegistryClient;
  readonly reachable: string;
  /** This machine's logins. */
  readonly findCredentials: FindCredentials;
}

/**
 * The Secret pods need to pull an image with: the one named, none where the registry asks for no login or the namespace's
 * default ServiceAccount has one, else one of the namespace that knows the registry, else, where the user says so, one
 * made of the user's own login. Throws a CommandError that says which of these to choose.
 */
export async function pullSecretFor(input: CommandInput, needs: PullNeeds): Promise<string | undefined> {
  const named = textOption(input, "pullSecret");
  if (named !== undefined) return await checkedSecret(needs, named);
  if (await isPublic(needs)) return undefined;
  const registry = parseImageReference(needs.image)?.registry ?? "";
  if (await accountKnows(needs, registry)) return undefined;
  const found = await secretFor(needs, registry);
  if (found !== undefined) return found;
  if (input.options["shareLogin"] !== true)
    throw new CommandError(
      `${registry} wants a login to pull ${needs.image}, and namespace ${needs.namespace} has none for it; make one with "kubectl create secret docker-registry NAME -n ${needs.namespace} --docker-server=${registry} …" and name it with --pull-secret NAME, or store your own login there with --share-login`,
    );
  return await shareLogin(needs, registry);
}

async function checkedSecret({ client, namespace }: PullNeeds, name: string): Promise<string> {
  const secret = await client.get(SecretKind, { namespace, name });
  if (serversOf(secret) === undefined)
    throw new CommandError(
      `--pull-secret: Secret "${name}" is of type ${secret.type}, not kubernetes.io/dockerconfigjson`,
    );
  return name;
}

/** Whether anybody may pull it. A registry that cannot be asked is told by the push before. */
async function isPublic({ anonymous, reachable }: PullNeeds): Promise<boolean> {
  const reference = parseImageReference(reachable);
  if (!reference) return true;
  try {
    const remote = { client: anonymous, reference, task: `look at ${reachable} without a login` };
    return (await headManifest(remote, reference.digest ?? reference.tag ?? "latest")) !== undefined;
  } catch (error) {
    if (isImageError(error, "unauthorized", "denied")) return false;
    throw error;
  }
}

async function accountKnows({ client, namespace }: PullNeeds, registry: string): Promise<boolean> {
  const account = await allowed(client.get(ServiceAccountKind, { namespace, name: "default" }));
  for (const { name = "" } of account?.imagePullSecrets ?? []) {
    const secret = await allowed(client.get(SecretKind, { namespace, name }));
    if (secret && serversOf(secret)?.some((server) => isFor(server, registry))) return true;
  }
  return false;
}

async function secretFor({ client, namespace }: PullNeeds, registry: string): Promise<string | undefined> {
  const fieldSelector = "type=kubernetes.io/dockerconfigjson";
  const secrets = await allowed(client.list(SecretKind, { namespace, fieldSelector }));
  return secrets?.items.find((secret) => serversOf(secret)?.some((server) => isFor(server, registry)))?.metadata.name;
}

/** The answer, or nothing where it is not there or may not be read. */
async function allowed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isApiError(error) && (error.code === 403 || error.code === 404)) return undefined;
    throw error;
  }
}

/** The registries a Secret has logins for; undefined when it is no Docker config. */
function serversOf(secret: { readonly data?: Readonly<Record<string, string>> }): readonly string[] | undefined {
  const text = secret.data?.[".dockerconfigjson"];
  if (text === undefined) return undefined;
  try {
    const config = JSON.parse(Buffer.from(text, "base64").toString("utf8")) as { readonly auths?: object };
    return Object.keys(config.auths ?? {});
  } catch {
    return [];
  }
}

function isFor(server: string, registry: string): boolean {
  const host = server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === registry || (registry === "docker.io" && /^(index\.|registry-1\.)?docker\.io$/.test(host));
}

async function shareLogin({ client, namespace, findCredentials, reachable }: PullNeeds, registry: string) {
  const pushed = parseImageReference(reachable)?.registry ?? registry;
  const login = (await findCredentials(registry)) ?? (await findCredentials(pushed));
  if (!login)
    throw new CommandError(`--share-login: there is no login for ${registry} here; "docker login ${registry}"`);
  const server = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  const name = `ebb-pull-${registry.replaceAll(/[^a-z0-9]+/g, "-")}`;
  const config = JSON.stringify({ auths: { [server]: authOf(login) } });
  const body = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels: { "app.kubernetes.io/managed-by": "ebb" } },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(config).toString("base64") },
  };
  await client.patch(
    SecretKind,
    { namespace, name },
    { type: "apply", body },
    { fieldManager: "ebb-deploy", force: true },
  );
  return name;
}

function authOf(login: Credentials): object {
  if (login.kind === "identity-token") return { identitytoken: login.token };
  const { username, password } = login;
  return { username, password, auth: Buffer.from(`${username}:${password}`).toString("base64") };
}
