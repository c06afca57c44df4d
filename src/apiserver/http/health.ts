import type { IncomingMessage, ServerResponse } from "node:http";
import type { DocumentHandler } from "./documents.ts";
import { send } from "./respond.ts";

/** One thing that must be well; `check` throws or answers false when it is not, at once. */
export interface HealthCheck {
  readonly name: string;
  readonly check: () => boolean;
}

export interface HealthChecks {
  /** Asked by `/livez`, `/healthz` and `/readyz` alike: not well means a restart is due. */
  readonly live: readonly HealthCheck[];
  /** Asked by `/readyz` only: not well means requests should go elsewhere for now. */
  readonly ready: readonly HealthCheck[];
}

const textType = "text/plain; charset=utf-8";

/**
 * `/healthz`, `/livez` and `/readyz`, each check also by itself below them, in kube-apiserver's words
 * (staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go). `?verbose` lists the checks, `?exclude=NAME` leaves some out.
 */
export function healthHandler({ live, ready }: HealthChecks): DocumentHandler {
  const ping: HealthCheck = { name: "ping", check: () => true };
  const endpoints = new Map([
    ["healthz", [ping, ...live]],
    ["livez", [ping, ...live]],
    ["readyz", [ping, ...live, ...ready]],
  ]);
  return (path, request, response) => {
    const [, endpoint = "", name, ...more] = path.split("/");
    const checks = endpoints.get(endpoint);
    if (!checks || more.length > 0) return false;
    if (name === undefined) answerAll(endpoint, checks, request, response);
    else {
      const found = checks.find((check) => check.name === name);
      if (!found) return false;
      if (isWell(found)) send(response, 200, "ok", textType);
      else send(response, 500, `internal server error: ${name} is not well\n`, textType);
    }
    return true;
  };
}

function answerAll(
  endpoint: string,
  checks: readonly HealthCheck[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const query = new URLSearchParams((request.url ?? "").split("?")[1] ?? "");
  const excluded = new Set(query.getAll("exclude"));
  let failed = false;
  const lines = checks.map((check) => {
    if (excluded.delete(check.name)) return `[+]${check.name} excluded: ok\n`;
    if (isWell(check)) return `[+]${check.name} ok\n`;
    failed = true;
    return `[-]${check.name} failed: reason withheld\n`;
  });
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(", ");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}\n`);
  }
  if (failed) return send(response, 500, `${lines.join("")}${endpoint} check failed\n`, textType);
  send(response, 200, query.has("verbose") ? `${lines.join("")}${endpoint} check passed\n` : "ok", textType);
}

function isWell({ check }: HealthCheck): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
