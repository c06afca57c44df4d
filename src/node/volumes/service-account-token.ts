import type { Pod, ServiceAccountTokenProjection } from "../../api/core/types.gen.ts";

/** Asks the API server for a token bound to a pod (the token subresource of ServiceAccount). */
export type RequestToken = (request: {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Empty: the API's own audience. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly pod: { readonly name: string; readonly uid: string };
}) => Promise<{ readonly token: string; readonly expiresAtMs: number }>;

interface Kept {
  readonly token: string;
  readonly issuedMs: number;
  readonly expiresAtMs: number;
}

/** The tokens of one pod: asked for once, renewed in time, kept while the old one is good if renewing fails. */
export interface PodTokens {
  /** Renews what is due; rejects when a token is missing and cannot be had. */
  refresh(projections: readonly ServiceAccountTokenProjection[]): Promise<void>;
  current(projection: ServiceAccountTokenProjection): string | undefined;
}

const dayMs = 24 * 3_600_000;

/** After 80 % of its life, or a day (kubelet pkg/kubelet/token). */
const isDue = (kept: Kept, nowMs: number): boolean =>
  nowMs >= kept.issuedMs + 0.8 * (kept.expiresAtMs - kept.issuedMs) || nowMs >= kept.issuedMs + dayMs;

const idOf = ({ audience = "", expirationSeconds = 3600 }: ServiceAccountTokenProjection): string =>
  `${audience} ${expirationSeconds}`;

export function createPodTokens(request: RequestToken, pod: Pod, now: () => number): PodTokens {
  const kept = new Map<string, Kept>();
  return {
    async refresh(projections) {
      for (const projection of projections) {
        const id = idOf(projection);
        const has = kept.get(id);
        if (has && !isDue(has, now())) continue;
        try {
          const issued = await request({
            namespace: pod.metadata.namespace ?? "",
            serviceAccount: pod.spec.serviceAccountName ?? "default",
            audiences: projection.audience ? [projection.audience] : [],
            expirationSeconds: projection.expirationSeconds ?? 3600,
            pod: { name: pod.metadata.name, uid: pod.metadata.uid ?? "" },
          });
          kept.set(id, { ...issued, issuedMs: now() });
        } catch (error) {
          if (!has || has.expiresAtMs <= now()) throw error;
        }
      }
    },
    current: (projection) => kept.get(idOf(projection))?.token,
  };
}
