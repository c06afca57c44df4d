/**
 * Logins out of Kubernetes pull secrets. Which entry of a Docker config is for an image is decided as the kubelet does
 * (k8s.io/kubernetes pkg/credentialprovider/keyring.go): by host, with `*` for a label or part of one, and a path that
 * the image's begins with; of several the most specific.
 */
import { ImageError } from "../image-error.ts";
import { parseImageReference } from "../reference.ts";
import type { Credentials, FindCredentials } from "./credentials.ts";

export interface PullSecret {
  readonly metadata: { readonly name: string };
  readonly type?: string;
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

interface Login {
  readonly host: string;
  /** `team/app`; empty for the whole registry. */
  readonly path: string;
  readonly credentials: Credentials;
}

interface Entry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** Finds the login for `image` and no other. Throws ImageError when a secret cannot be read. */
export function pullSecretCredentials(secrets: readonly PullSecret[], image: string): FindCredentials {
  const logins = secrets.flatMap(loginsIn).sort((a, b) => b.path.length - a.path.length);
  const repository = parseImageReference(image)?.repository ?? "";
  return async (registry) => {
    const fits = ({ host, path }: Login): boolean =>
      hostFits(host, registry) && (path === "" || repository === path || repository.startsWith(`${path}/`));
    return logins.find(fits)?.credentials;
  };
}

function loginsIn(secret: PullSecret): readonly Login[] {
  const { data = {}, metadata } = secret;
  const [key, text] =
    data[".dockerconfigjson"] === undefined
      ? ([".dockercfg", data[".dockercfg"]] as const)
      : ([".dockerconfigjson", data[".dockerconfigjson"]] as const);
  if (text === undefined) return [];
  const entries = entriesOf(text, key, metadata.name);
  return Object.entries(entries).flatMap(([name, entry]) => {
    const credentials = credentialsOf(entry);
    if (!credentials) return [];
    const [host = "", ...path] = name
      .replace(/^https?:\/\//, "")
      .replace(/\/+$/, "")
      .split("/");
    // Docker wrote addresses of its API there.
    const isApi = /^v[12]$/.test(path[0] ?? "");
    return [{ host: hubNames.has(host) ? "docker.io" : host, path: isApi ? "" : path.join("/"), credentials }];
  });
}

const hubNames: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

function entriesOf(base64: string, key: string, name: string): Readonly<Record<string, Entry>> {
  try {
    const config = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
    const entries = key === ".dockercfg" ? config : config?.auths;
    return typeof entries === "object" && entries !== null ? entries : {};
  } catch (error) {
    throw new ImageError("malformed", `the pull secret "${name}" is not usable: its ${key} is no JSON`, {
      cause: error,
    });
  }
}

function credentialsOf(entry: Entry): Credentials | undefined {
  if (entry.identitytoken) return { kind: "identity-token", token: entry.identitytoken };
  if (entry.username !== undefined && entry.password !== undefined)
    return { kind: "password", username: entry.username, password: entry.password };
  const pair = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
  const at = pair.indexOf(":");
  return at < 0 ? undefined : { kind: "password", username: pair.slice(0, at), password: pair.slice(at + 1) };
}

/** Label by label: `*.example.com` is `a.example.com`, not `a.b.example.com`. The port is part of the last. */
function hostFits(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  const [wanted, given] = [pattern.split("."), host.split(".")];
  if (!pattern.includes("*") || wanted.length !== given.length) return false;
  return wanted.every((label, index) => {
    const text = given[index] ?? "";
    const [head = "", ...rest] = label.split("*");
    if (rest.length === 0) return label === text;
    const tail = rest.at(-1) ?? "";
    return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
  });
}
