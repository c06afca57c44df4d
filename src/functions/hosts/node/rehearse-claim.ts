import { once } from "node:events";
import { createHash } from "node:crypto";
import { connect } from "node:tls";
import { packLayer } from "../../../images/layer.ts";
import { issueCertificate } from "../../../pki/certificate.ts";
import { claimerName, pushVersion, type PushedClaim } from "../protocol.ts";
import { openClaimDoor, type ClaimDoorOptions, type TakenClaim } from "./claim-door.ts";
import { clearApp } from "./take-layers.ts";

/** After three, another makes the claim of a real function no faster. */
const rounds = 3;

/**
 * Claims itself while nobody waits, over a connection of its own and by an authority that is forgotten at once: then
 * all that a claim goes through has been compiled and loaded when one comes, which took the first caller 15 ms.
 * `serve` loads a claimed function, and forgets it again.
 */
export async function rehearseClaim(
  place: Omit<ClaimDoorOptions, "ca" | "port">,
  serve: (taken: TakenClaim) => Promise<void>,
): Promise<void> {
  const now = Date.now();
  const authority = issueCertificate({ commonName: "rehearsal", use: "ca", now, days: 1 });
  const claimer = issueCertificate({ commonName: claimerName, use: "client", now, days: 1 }, authority);
  for (let round = 0; round < rounds; round++) {
    const done = Promise.withResolvers<void>();
    const door = await openClaimDoor({ ...place, ca: authority.certificate, port: 0, host: "127.0.0.1" }, (taken) => {
      serve(taken).then(() => taken.answer({ type: "ready", port: 0, loadMs: 0 }, done.resolve), done.reject);
    });
    const socket = connect({
      host: "127.0.0.1",
      port: door.port,
      cert: claimer.certificate,
      key: claimer.key,
      rejectUnauthorized: false,
    });
    socket.on("error", done.reject);
    await Promise.race([once(socket.resume(), "secureConnect"), done.promise]);
    for (const part of await claimOf(round)) socket.write(part);
    await done.promise;
    door.close();
    await clearApp(place);
  }
}

async function claimOf(round: number): Promise<readonly (string | Uint8Array)[]> {
  // As modules are kept by their names, each round needs another.
  const path = `app/.ebb-rehearsal-${round}.mjs`;
  const content = "export default { fetch: (request) => new Response(new URL(request.url).pathname) };\n";
  const layer = Buffer.concat(
    await Array.fromAsync(
      packLayer([
        { path, content },
        { path: `${path}.map`, content: "{}" },
      ]),
    ),
  );
  const head: PushedClaim = {
    type: "claim",
    version: pushVersion,
    host: "node",
    claim: { entry: `/${path}`, model: "auto", env: {}, cwd: "/app", loadTimeoutMs: 10_000 },
    layers: [{ digest: `sha256:${createHash("sha256").update(layer).digest("hex")}`, size: layer.length }],
  };
  return [`${JSON.stringify(head)}\n`, layer];
}
