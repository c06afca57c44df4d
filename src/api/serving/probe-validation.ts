/** Probes of a Revision's containers (pkg/apis/serving/k8s_validation.go). */
import type { Probe } from "../core/types.gen.ts";
import {
  invalidValue,
  missingOneOf,
  multipleOneOf,
  outOfBounds,
  problem,
  within,
  type Problem,
  type Problems,
} from "./problems.ts";
import type { Container } from "./types.gen.ts";

const maxInt32 = 2 ** 31 - 1;

/** `port` is the serving port of a serving container; a sidecar has none, so its probes must name theirs. */
export function checkProbes(container: Container, port: { readonly name: string } | undefined): Problems {
  return [
    ...within("livenessProbe", checkHandler(container.livenessProbe, port)),
    ...within("readinessProbe", [
      ...checkHandler(container.readinessProbe, port),
      ...checkReadinessTimes(container.readinessProbe),
    ]),
    ...within("startupProbe", checkHandler(container.startupProbe, port)),
  ];
}

const handlers = ["httpGet", "tcpSocket", "exec", "grpc"] as const;

function checkHandler(probe: Probe | undefined, port: { readonly name: string } | undefined): Problems {
  if (!probe) return [];
  const problems: Problem[] = [];
  for (const handler of ["httpGet", "tcpSocket"] as const) {
    if (probe[handler]) problems.push(...checkPort(probe[handler].port, `${handler}.port`, port));
  }
  const set = handlers.filter((handler) => probe[handler] !== undefined);
  if (set.length === 0) problems.push(missingOneOf(...handlers));
  if (set.length > 1) problems.push(multipleOneOf(...set.map((handler) => (handler === "grpc" ? "gRPC" : handler))));
  return problems;
}

function checkPort(
  value: number | string | undefined,
  path: string,
  port: { readonly name: string } | undefined,
): Problems {
  if (port === undefined) return value ? [] : [invalidValue(value ?? 0, path, "Probe port must be specified")];
  if (typeof value !== "string" || value === "" || value === port.name) return [];
  return [invalidValue(value, path, "Probe port must match container port")];
}

/** periodSeconds 0 asks for probing as fast as sensible, to which the other times do not apply. */
function checkReadinessTimes(probe: Probe | undefined): Problems {
  if (!probe) return [];
  const { periodSeconds = 0, initialDelaySeconds = 0, successThreshold = 0 } = probe;
  const { failureThreshold = 0, timeoutSeconds = 0 } = probe;
  const problems: Problem[] = [];
  const atLeast = (lowest: number, value: number, path: string): void => {
    if (value < lowest) problems.push(outOfBounds(value, lowest, maxInt32, path));
  };
  atLeast(0, periodSeconds, "periodSeconds");
  atLeast(0, initialDelaySeconds, "initialDelaySeconds");
  atLeast(1, successThreshold, "successThreshold");
  if (periodSeconds !== 0) {
    atLeast(1, timeoutSeconds, "timeoutSeconds");
    atLeast(1, failureThreshold, "failureThreshold");
    return problems;
  }
  for (const [path, value] of Object.entries({ failureThreshold, timeoutSeconds }))
    if (value !== 0) problems.push(problem(`${path} is disallowed when periodSeconds is zero`, [path]));
  return problems;
}
