/** A CA and a certificate of 127.0.0.1 for servers that tests start, in a folder of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate } from "../../../src/pki/certificate.ts";

export interface ServerCertificates {
  readonly dir: string;
  readonly ca: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  remove(): void;
}

export function makeServerCertificates(): ServerCertificates {
  const dir = mkdtempSync(join(tmpdir(), "ebb-certs-"));
  const validity = { now: Date.now(), days: 1 };
  const ca = issueCertificate({ commonName: "test", use: "ca", ...validity });
  const hosts = ["127.0.0.1", "localhost"];
  const server = issueCertificate({ commonName: "localhost", use: "server", hosts, ...validity }, ca);
  const write = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    dir,
    ca: ca.certificate,
    caFile: write("ca.crt", ca.certificate),
    certFile: write("server.crt", server.certificate),
    keyFile: write("server.key", server.key),
    remove: () => rmSync(dir, { recursive: true }),
  };
}
