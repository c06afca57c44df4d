import type { SecureContext } from "node:tls";

/** A certificate chain and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

// Loaded on first use: a router that serves no https needs none of it.
const tls = (): typeof import("node:tls") => process.getBuiltinModule("node:tls");

/** Certificates by host name, for the names clients ask for (SNI). A change counts for connections made from then on. */
export class Certificates {
  readonly #byHost = new Map<string, { readonly certificate: Certificate; readonly context: SecureContext }>();

  /** Throws when certificate and key are none, or do not belong together; what was there before then stays. */
  set(host: string, certificate: Certificate | undefined): void {
    const name = host.toLowerCase();
    if (certificate === undefined) {
      this.#byHost.delete(name);
      return;
    }
    const { cert, key } = certificate;
    const known = this.#byHost.get(name)?.certificate;
    if (known?.cert === cert && known.key === key) return;
    const context = tls().createSecureContext({ cert, key, minVersion: "TLSv1.2" });
    this.#byHost.set(name, { certificate, context });
  }

  /** The certificate of the name itself, or of its wildcard (RFC 6125 §6.4.3: one label). */
  find(servername: string): SecureContext | undefined {
    const name = servername.toLowerCase();
    const dot = name.indexOf(".");
    return (this.#byHost.get(name) ?? this.#byHost.get(`*${name.slice(dot < 0 ? name.length : dot)}`))?.context;
  }

  get size(): number {
    return this.#byHost.size;
  }
}
