import { ConfigMapKind, SecretKind } from "../../api/core/kinds.ts";
import type { ConfigMap, Container, PodTemplateSpec, Secret } from "../../api/core/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { resolveEnv } from "../env/container-env.ts";

export interface ClaimValuesDeps {
  readonly client: Pick<Client, "get">;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Known {
  readonly users: Set<string>;
  /** Undefined: not asked yet; `missing`: there is none. */
  object: ConfigMap | Secret | "missing" | undefined;
}

/**
 * How old a value may be that a claim brings. A kubelet takes the same time to notice that a Secret has changed; nobody
 * lists or watches Secrets for this, each is read by its name, and only those that a function names.
 */
const refreshMs = 30_000;

/** Reads on their way at once. */
const maxReading = 4;

/** The Secrets and ConfigMaps that functions' environments name, read ahead of need and again from time to time. */
export class ClaimValues {
  readonly #deps: ClaimValuesDeps;
  /** `Secret/namespace/name` → what is known of it. */
  readonly #known = new Map<string, Known>();
  #cancel: (() => void) | undefined;
  #reading = false;
  #closed = false;

  constructor(deps: ClaimValuesDeps) {
    this.#deps = deps;
  }

  /** The user (a Revision) needs what the container's environment names; what it needed before is let go. */
  use(user: string, namespace: string, container: Container): void {
    const wanted = new Set(referencesOf(container).map(({ kind, name }) => `${kind}/${namespace}/${name}`));
    this.release(user, wanted);
    for (const key of wanted) {
      const known = this.#known.get(key) ?? { users: new Set(), object: undefined };
      this.#known.set(key, known);
      known.users.add(user);
    }
    if ([...wanted].some((key) => this.#known.get(key)?.object === undefined)) void this.#read();
  }

  release(user: string, but: ReadonlySet<string> = new Set()): void {
    for (const [key, { users }] of this.#known)
      if (!but.has(key) && users.delete(user) && users.size === 0) this.#known.delete(key);
  }

  /** The environment as a pod of the template would have it; undefined while a value is unknown or missing. */
  envOf(
    namespace: string,
    template: PodTemplateSpec,
    container: Container,
  ): Readonly<Record<string, string>> | undefined {
    const sources = {
      configMap: (where: string, name: string) => this.#get<ConfigMap>(`ConfigMap/${where}/${name}`),
      secret: (where: string, name: string) => this.#get<Secret>(`Secret/${where}/${name}`),
      // The container has its services' variables from its kubelet.
      services: () => [],
      // Nothing of a template that waits for a warm pod asks for it (pool-class.ts).
      allocatable: { cpuCores: 0, memoryBytes: 0 },
    };
    const unread = referencesOf(container).some(
      ({ kind, name }) => this.#known.get(`${kind}/${namespace}/${name}`)?.object === undefined,
    );
    if (unread || !template.spec) return undefined;
    const pod = { metadata: { name: "", namespace }, spec: template.spec };
    const resolved = resolveEnv(pod, container, sources, { podIP: "", hostIP: "" });
    return resolved.kind === "resolved" ? resolved.env : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#known.clear();
  }

  #get<T extends ConfigMap | Secret>(key: string): T | undefined {
    const object = this.#known.get(key)?.object;
    return typeof object === "object" ? (object as T) : undefined;
  }

  /** Reads everything there is once, unknown values first, and comes again later. */
  async #read(): Promise<void> {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#cancel?.();
    const rank = (known: Known): number => (known.object === undefined ? 0 : 1);
    const keys = [...this.#known].sort(([, a], [, b]) => rank(a) - rank(b)).map(([key]) => key);
    const next = async (): Promise<void> => {
      for (let key = keys.shift(); key !== undefined && !this.#closed; key = keys.shift()) await this.#readOne(key);
    };
    await Promise.all(Array.from({ length: maxReading }, next));
    this.#reading = false;
    if (this.#closed) return;
    const unknown = [...this.#known.values()].some(({ object }) => object === undefined);
    if (this.#known.size > 0)
      this.#cancel = this.#deps.clock.after(unknown ? 1_000 : refreshMs, () => void this.#read());
  }

  async #readOne(key: string): Promise<void> {
    const [kind = "", namespace = "", name = ""] = key.split("/");
    const known = this.#known.get(key);
    if (!known) return;
    try {
      known.object = await this.#deps.client.get(kinds[kind as keyof typeof kinds] as Kind<Secret>, {
        namespace,
        name,
      });
    } catch (error) {
      if (isNotFound(error)) known.object = "missing";
      else this.#deps.log.info("a value for claims could not be read", { err: error, kind, namespace, name });
    }
  }
}

const kinds = { Secret: SecretKind, ConfigMap: ConfigMapKind } as const satisfies Record<
  string,
  Kind<never> | Kind<KubeObject>
>;

interface Reference {
  readonly kind: keyof typeof kinds;
  readonly name: string;
}

function referencesOf(container: Container): readonly Reference[] {
  const found: Reference[] = [];
  const add = (kind: Reference["kind"], source: { readonly name?: string } | undefined): void => {
    if (source?.name) found.push({ kind, name: source.name });
  };
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    add("ConfigMap", configMapRef);
    add("Secret", secretRef);
  }
  for (const { valueFrom } of container.env ?? []) {
    add("ConfigMap", valueFrom?.configMapKeyRef);
    add("Secret", valueFrom?.secretKeyRef);
  }
  return found;
}
