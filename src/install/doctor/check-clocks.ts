import { LeaseKind } from "../../api/coordination/kinds.ts";
import { fine, problem, type Check, type Finding } from "./finding.ts";

/** Certificates, tokens and leases are compared with clocks; more than this is asking for trouble. */
const allowedMs = 5000;
/** A kubelet renews its lease each 10 s. One that says older than this is late, or behind. */
const lateMs = 40_000;

/** This machine's clock against the API server's, and the nodes' against it, by the leases that kubelets renew. */
export const checkClocks: Check = async ({ client, now }) => {
  const answer = await client.raw("/version");
  await answer.body.dump();
  const serverMs = Date.parse(String(answer.headers["date"] ?? ""));
  if (!Number.isFinite(serverMs)) return [];
  const { items } = await client.list(LeaseKind, { namespace: "kube-node-lease" });
  const leases = items.map(({ metadata, spec }) => ({
    node: metadata.name,
    renewedMs: Date.parse(spec?.renewTime ?? ""),
  }));
  return clockFindings({ hereMs: now(), serverMs, leases });
};

export interface Clocks {
  readonly hereMs: number;
  readonly serverMs: number;
  readonly leases: readonly { readonly node: string; readonly renewedMs: number }[];
}

export function clockFindings({ hereMs, serverMs, leases }: Clocks): readonly Finding[] {
  const found: Finding[] = [];
  const synchronize = "let every machine follow a time server (systemd-timesyncd, chrony)";
  // The header tells whole seconds.
  const skewMs = hereMs - serverMs;
  if (Math.abs(skewMs) > allowedMs + 1000)
    found.push(problem(`this machine's clock is ${apart(skewMs)} of the API server's`, synchronize));
  for (const { node, renewedMs } of leases) {
    const aheadMs = renewedMs - serverMs;
    if (aheadMs > allowedMs + 1000)
      found.push(problem(`the clock of node ${node} is ${apart(aheadMs)} of the API server's`, synchronize));
    else if (aheadMs < -lateMs)
      found.push(
        problem(
          `node ${node} last said that it is alive ${Math.round(-aheadMs / 1000)} s ago`,
          `its kubelet does not run or reach the API server, or its clock is behind: ${synchronize}`,
        ),
      );
  }
  return found.length > 0 ? found : [fine("clocks agree")];
}

const apart = (ms: number): string => `${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? "ahead" : "behind"}`;
