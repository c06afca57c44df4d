/** Checks of probes and lifecycle hooks (Kubernetes pkg/apis/core/validation, validateProbe and validateHandler). */
import { checkNotNegative, complaints, requireOneOf } from "../meta/field-checks.ts";
import { fieldError, type FieldError } from "../meta/field-error.ts";
import { checkHttpHeaderName, checkPortName, checkPortNumber } from "../meta/names.ts";
import type { Container, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction } from "./types.gen.ts";

/** A port by number or by name. */
export function validatePort(port: number | string | undefined, field: string): readonly FieldError[] {
  if (typeof port === "string") return complaints(field, port, checkPortName(port));
  return complaints(field, port ?? 0, checkPortNumber(port ?? 0));
}

/** All hooks and probes of a container that may have them. */
export function validateHooks(container: Container, grace: number | undefined, field: string): readonly FieldError[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  return [
    ...(lifecycle ? validateLifecycle(lifecycle, grace, `${field}.lifecycle`) : []),
    ...(livenessProbe ? validateKillingProbe(livenessProbe, `${field}.livenessProbe`) : []),
    ...(readinessProbe ? validateReadinessProbe(readinessProbe, `${field}.readinessProbe`) : []),
    ...(startupProbe ? validateKillingProbe(startupProbe, `${field}.startupProbe`) : []),
  ];
}

function validateKillingProbe(probe: Probe, field: string): readonly FieldError[] {
  const errors = [...validateProbe(probe, field)];
  if (probe.successThreshold !== 1)
    errors.push(fieldError.invalid(`${field}.successThreshold`, probe.successThreshold, "must be 1"));
  return errors;
}

function validateReadinessProbe(probe: Probe, field: string): readonly FieldError[] {
  const errors = [...validateProbe(probe, field)];
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined)
    errors.push(
      fieldError.invalid(`${field}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"),
    );
  return errors;
}

const durations = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function validateProbe(probe: Probe, field: string): readonly FieldError[] {
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...validateHandler(probe, undefined, field),
    ...durations.flatMap((name) => checkNotNegative(`${field}.${name}`, probe[name])),
    ...(grace !== undefined && grace <= 0
      ? [fieldError.invalid(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0")]
      : []),
  ];
}

function validateLifecycle(lifecycle: Lifecycle, grace: number | undefined, field: string): readonly FieldError[] {
  const { postStart, preStop } = lifecycle;
  return [
    ...(postStart ? validateHandler(postStart, grace, `${field}.postStart`) : []),
    ...(preStop ? validateHandler(preStop, grace, `${field}.preStop`) : []),
  ];
}

type Handler = LifecycleHandler & Pick<Probe, "grpc">;

function validateHandler(handler: Handler, grace: number | undefined, field: string): readonly FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const given: (readonly [name: string, check: () => readonly FieldError[]])[] = [];
  if (exec) given.push(["exec", () => (exec.command?.length ? [] : [fieldError.required(`${field}.exec.command`)])]);
  if (httpGet) given.push(["httpGet", () => validateHttpGet(httpGet, `${field}.httpGet`)]);
  if (tcpSocket) given.push(["tcpSocket", () => validatePort(tcpSocket.port, `${field}.tcpSocket.port`)]);
  if (grpc) given.push(["grpc", () => validatePort(grpc.port, `${field}.grpc.port`)]);
  if (sleep) given.push(["sleep", () => validateSleep(sleep, grace, `${field}.sleep`)]);
  const [first, ...rest] = given;
  if (!first) return [fieldError.required(field, "must specify a handler type")];
  return [
    ...first[1](),
    ...rest.map(([name]) => fieldError.forbidden(`${field}.${name}`, "may not specify more than 1 handler type")),
  ];
}

function validateHttpGet(action: HTTPGetAction, field: string): readonly FieldError[] {
  return [
    ...(action.path ? [] : [fieldError.required(`${field}.path`)]),
    ...validatePort(action.port, `${field}.port`),
    ...requireOneOf(`${field}.scheme`, action.scheme, ["HTTP", "HTTPS"]),
    ...(action.httpHeaders ?? []).flatMap(({ name }) =>
      complaints(`${field}.httpHeaders`, name ?? "", checkHttpHeaderName(name ?? "")),
    ),
  ];
}

function validateSleep({ seconds = 0 }: SleepAction, grace: number | undefined, field: string): readonly FieldError[] {
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  const text = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
  return [fieldError.invalid(field, seconds, text)];
}
