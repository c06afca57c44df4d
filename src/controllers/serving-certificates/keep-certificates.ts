import { SecretKind } from "../../api/core/kinds.ts";
import type { Secret } from "../../api/core/types.gen.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import { sleep, type Clock } from "../../client/clock.ts";
import type { KeyedCertificate } from "../../pki/certificate.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { writeCaBundles, type Callers } from "./ca-bundles.ts";
import { fromSecret, toSecret } from "./certificate-secret.ts";
import { nextCertificates, type ServingCertificates } from "./next-certificates.ts";

export interface CertificateDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface CertificateOptions {
  /** The Secret that all replicas share. */
  readonly secret: { readonly namespace: string; readonly name: string };
  /** Names by which API servers and routers call. */
  readonly hosts: readonly string[];
  readonly callers: Callers;
  /** Told before a certificate of a new authority is served, and again where it fails. */
  readonly publish: (bundle: string) => Promise<void>;
}

/** A certificate that was put into the Secret by hand, or expired, is not served for longer. */
const lookMs = 10_000;

/**
 * The serving certificate of all replicas, made when there is none. Any replica may make or renew it: the Secret's
 * version decides between two that do so at once. A Secret that somebody deleted or damaged is restored from what this
 * replica remembers, so that nobody meets an authority he does not know yet. Throws an ApiError when the API server does not answer.
 */
export async function currentCertificates(
  { client, clock }: Pick<CertificateDeps, "client" | "clock">,
  { secret: key, hosts }: Pick<CertificateOptions, "secret" | "hosts">,
  remembered?: ServingCertificates,
): Promise<ServingCertificates> {
  for (;;) {
    const secret = await find(client, key);
    const known = secret && fromSecret(secret);
    const wanted = nextCertificates(known ?? remembered, hosts, clock.now());
    if (wanted === known) return known;
    try {
      const draft = toSecret(wanted, key);
      if (secret) await client.update(SecretKind, { ...secret, ...draft, metadata: secret.metadata });
      else await client.create(SecretKind, draft);
      return wanted;
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
    }
  }
}

/**
 * Keeps the certificate current until the signal: hands a new one to `serve`, and sees to it that whoever calls trusts
 * it. A look that fails is logged and tried again.
 */
export async function keepCertificates(
  deps: CertificateDeps,
  options: CertificateOptions,
  serve: (certificate: KeyedCertificate) => void,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, log } = deps;
  let served = "";
  let last: ServingCertificates | undefined;
  while (!signal.aborted) {
    try {
      last = await currentCertificates(deps, options, last);
      const { serving, bundle } = last;
      await options.publish(bundle);
      const changed = await writeCaBundles(client, options.callers, bundle);
      if (changed.length > 0) log.info("callers were told whom to trust", { names: changed.join(", ") });
      if (serving.certificate !== served) serve(serving);
      served = serving.certificate;
    } catch (error) {
      log.warn("certificates could not be looked after, trying again", { err: error });
    }
    await sleep(clock, lookMs, signal).catch(() => undefined);
  }
}

async function find(client: Client, key: CertificateOptions["secret"]): Promise<Secret | undefined> {
  try {
    return await client.get(SecretKind, key);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
