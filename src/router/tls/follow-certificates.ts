import { SecretKind } from "../../api/core/kinds.ts";
import { isForbidden, isNotFound } from "../../api/meta/errors.ts";
import { keyOf, type ObjectKey } from "../../api/meta/object.ts";
import { KIngressKind } from "../../api/networking-internal/kinds.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../client/clock.ts";
import type { Informers } from "../../client/informer.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Certificate, Certificates } from "./certificates.ts";

export interface FollowCertificatesDeps {
  readonly client: Pick<Client, "get">;
  readonly informers: Informers;
  readonly certificates: Certificates;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A Secret is asked for by its name, since its role lets a router do no more; a renewed one is noticed this soon. */
const lookAgainMs = 60_000;
/** One that is not there, or cannot be read, is looked for again this soon: issuers take a while. */
const missingMs = 2000;

/** Refusals before they are taken to be for good. */
const tolerated = 3;

/**
 * Keeps the certificates equal to the Secrets that Ingresses name, and no others. What was read last serves while a
 * Secret cannot be read. Returns what ends it.
 */
export function followCertificates(deps: FollowCertificatesDeps): () => void {
  const bySecret = new Map<string, FollowedSecret>();
  const byIngress = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>();
  const change = (ingress: string, wanted: ReadonlyMap<string, ReadonlySet<string>>): void => {
    const before = byIngress.get(ingress) ?? new Map<string, ReadonlySet<string>>();
    if (wanted.size === 0) byIngress.delete(ingress);
    else byIngress.set(ingress, wanted);
    for (const key of new Set([...before.keys(), ...wanted.keys()])) {
      const hosts = [...byIngress.values()].flatMap((secrets) => [...(secrets.get(key) ?? [])]);
      let secret = bySecret.get(key);
      if (secret === undefined) bySecret.set(key, (secret = new FollowedSecret(key, deps)));
      secret.setHosts(new Set(hosts));
      if (hosts.length === 0) bySecret.delete(key);
    }
  };
  const stop = deps.informers.of(KIngressKind).onChange(({ type, object }) => {
    const wanted = new Map<string, Set<string>>();
    for (const { hosts = [], secretName, secretNamespace } of type === "deleted" ? [] : (object.spec.tls ?? [])) {
      if (secretName === undefined) continue;
      const key = `${secretNamespace ?? object.metadata.namespace ?? ""}/${secretName}`;
      wanted.set(key, new Set([...(wanted.get(key) ?? []), ...hosts]));
    }
    change(keyOf(object.metadata), wanted);
  });
  return () => {
    stop();
    for (const secret of bySecret.values()) secret.stop();
  };
}

class FollowedSecret {
  readonly #key: ObjectKey;
  readonly #deps: FollowCertificatesDeps;
  #hosts: ReadonlySet<string> = new Set();
  #certificate: Certificate | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;
  #complained = false;
  #refusals = 0;

  constructor(key: string, deps: FollowCertificatesDeps) {
    const [namespace = "", name = ""] = key.split("/");
    this.#key = { namespace, name };
    this.#deps = deps;
  }

  setHosts(hosts: ReadonlySet<string>): void {
    const { certificates } = this.#deps;
    for (const host of this.#hosts) if (!hosts.has(host)) certificates.set(host, undefined);
    this.#hosts = hosts;
    if (hosts.size === 0) this.stop();
    else if (this.#certificate !== undefined) this.#apply(this.#certificate);
    else if (this.#cancel === undefined) void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    this.#cancel = () => undefined;
    let waitMs = missingMs;
    try {
      const { data = {} } = await this.#deps.client.get(SecretKind, this.#key);
      const pem = (name: string): string => Buffer.from(data[name] ?? "", "base64").toString("utf8");
      const certificate = { cert: pem("tls.crt"), key: pem("tls.key") };
      if (certificate.cert === "" || certificate.key === "") throw new Error("it has no tls.crt or no tls.key");
      if (this.#stopped) return;
      this.#apply(certificate);
      waitMs = lookAgainMs;
    } catch (error) {
      this.#complain(error);
    }
    if (!this.#stopped) this.#cancel = this.#deps.clock.after(waitMs, () => void this.#look());
  }

  #apply(certificate: Certificate): void {
    for (const host of this.#hosts) this.#deps.certificates.set(host, certificate);
    this.#certificate = certificate;
    this.#complained = false;
    this.#refusals = 0;
  }

  /** Once: a Secret may stay away for hours. */
  #complain(error: unknown): void {
    if (this.#complained || this.#stopped) return;
    // The controller allows it when it sees the Ingress, which it does when this router does.
    if (isForbidden(error) && ++this.#refusals < tolerated) return;
    this.#complained = true;
    const { namespace, name } = this.#key;
    const fields = { secret: `${namespace}/${name}`, hosts: [...this.#hosts] };
    if (isNotFound(error)) this.#deps.log.info("certificate is not there yet", fields);
    else this.#deps.log.warn("certificate cannot be used", { ...fields, err: error });
  }
}
