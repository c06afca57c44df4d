/** Defaults of a container and what is inside it (Kubernetes pkg/apis/core/v1/defaults.go). */
import type { Mutable } from "../meta/object.ts";
import { canonicalQuantity } from "../meta/quantity.ts";
import { defaultImagePullPolicy } from "./image-pull-policy.ts";
import { canonicalizeResources } from "./canonical-resources.ts";
import type { Container, EnvVar, EphemeralContainerCommon, Lifecycle, LifecycleHandler, Probe } from "./types.gen.ts";

/** Fills a container's defaults in place. */
export function defaultContainer(container: Mutable<Container> | Mutable<EphemeralContainerCommon>): void {
  container.imagePullPolicy ||= defaultImagePullPolicy(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const variable of container.env ?? []) defaultEnvVar(variable);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe) defaultProbe(probe);
  if (container.lifecycle) defaultLifecycle(container.lifecycle);
  canonicalizeResources(container.resources?.limits);
  canonicalizeResources(container.resources?.requests);
}

function defaultEnvVar({ valueFrom }: Mutable<EnvVar>): void {
  if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= "v1";
  if (valueFrom?.resourceFieldRef)
    valueFrom.resourceFieldRef.divisor = canonicalQuantity(valueFrom.resourceFieldRef.divisor ?? "0");
}

function defaultProbe(probe: Mutable<Probe>): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= "";
  defaultHandler(probe);
}

function defaultLifecycle(lifecycle: Mutable<Lifecycle>): void {
  if (lifecycle.postStart) defaultHandler(lifecycle.postStart);
  if (lifecycle.preStop) defaultHandler(lifecycle.preStop);
}

function defaultHandler({ httpGet }: Mutable<Pick<LifecycleHandler, "httpGet">>): void {
  if (!httpGet) return;
  httpGet.path ||= "/";
  httpGet.scheme ||= "HTTP";
}

/** A Pod's container asks for what it is limited to, where it asks for nothing itself. Not in templates. */
export function defaultRequests(container: Mutable<Container>): void {
  const limits = container.resources?.limits;
  if (!container.resources || !limits) return;
  const requests = (container.resources.requests ??= {});
  for (const [name, limit] of Object.entries(limits)) requests[name] ??= limit;
}
