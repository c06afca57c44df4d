import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { Agent, request } from "undici";
import { serviceUnavailable } from "../api/meta/errors.ts";
import { LeaseKind } from "../api/coordination/kinds.ts";
import { addressOf } from "../client/follow-leader.ts";
import type { Cluster } from "./cluster.ts";
import { readServingCa } from "./serving-ca.ts";

const deadlineMs = 5000;

/**
 * Passes a question on to the leading controller, as this controller: whoever asked has been checked here. Throws 503
 * when there is no leader, or it is this one.
 */
export async function askLeader(
  { leases, namespace, identity }: Pick<Cluster, "leases" | "namespace" | "identity">,
  { port, tokenFile }: { readonly port: number; readonly tokenFile: string },
  path: string,
): Promise<{ readonly code: number; readonly body: string }> {
  const { spec } = await leases.get(LeaseKind, { namespace, name: "ebb-controller" });
  const holder = spec?.holderIdentity ?? "";
  const address = addressOf(holder);
  if (address === undefined || holder === identity.holder)
    throw serviceUnavailable("no controller knows the load of all revisions now, ask again in a few seconds");
  const [ca, token] = await Promise.all([readServingCa(leases, namespace), readFile(tokenFile, "utf8")]);
  const dispatcher = new Agent({ connect: { ca, servername: `ebb-controller.${namespace}.svc` } });
  try {
    const answer = await request(`https://${isIPv6(address) ? `[${address}]` : address}:${port}${path}`, {
      dispatcher,
      headers: { authorization: `Bearer ${token.trim()}` },
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { code: answer.statusCode, body: await answer.body.text() };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw serviceUnavailable(`the leading controller at ${address} does not answer: ${why}`);
  } finally {
    await dispatcher.close();
  }
}
