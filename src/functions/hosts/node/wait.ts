/**
 * The Node host in an image of its own, for clusters: `wait` is a pod that belongs to nobody until a claim brings it a
 * function, `make-keys` what runs before it in the pod and makes the certificate by which claimers know it again.
 */
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueCertificate } from "../../../pki/certificate.ts";
import { say } from "./say.ts";

/** How long a pod may wait for its function. */
const keyDays = 365;

/**
 * Leaves a key for the host, and the fingerprint of its certificate where the kubelet will find it: what the pod's
 * status then says of this pod is said by its node, so whoever reads it knows the pod and needs no authority besides.
 */
function makeKeys([dir = "/ebb/keys", message = "/dev/termination-log"]: readonly string[]): void {
  const made = issueCertificate({
    commonName: "ebb-waiting-host",
    use: "server",
    hosts: ["ebb-waiting-host"],
    now: Date.now(),
    days: keyDays,
  });
  writeFileSync(join(dir, "cert.pem"), made.certificate, { mode: 0o600 });
  writeFileSync(join(dir, "key.pem"), made.key, { mode: 0o600 });
  writeFileSync(message, new X509Certificate(made.certificate).fingerprint256);
}

const usage =
  "usage: node wait.cjs wait [--port 8080] [--claim-port 9440] [--app /app] [--keys /ebb/keys] | make-keys [DIR]";

async function main([command, ...args]: readonly string[]): Promise<void> {
  try {
    if (command === "make-keys") makeKeys(args);
    else if (command === "wait") await (await import("./wait-for-claim.ts")).waitForClaim(args);
    else throw new Error(usage);
  } catch (error) {
    say(error);
    process.exit(1);
  }
}

void main(process.argv.slice(2));
