/** Defaults of a PodSpec, in a Pod or in a template (Kubernetes pkg/apis/core/v1/defaults.go). */
import type { Mutable } from "../meta/object.ts";
import { defaultContainer, defaultRequests } from "./container-defaults.ts";
import { canonicalizeResources } from "./canonical-resources.ts";
import type { PodSpec, PodTemplateSpec } from "./types.gen.ts";
import { defaultVolume } from "./volume-defaults.ts";

/** Fills the defaults that Pods and templates share, in place. */
export function defaultPodSpec(spec: Mutable<PodSpec>): void {
  spec.restartPolicy ||= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ||= "ClusterFirst";
  spec.schedulerName ||= "default-scheduler";
  spec.securityContext ??= {};
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  canonicalizeResources(spec.resources?.limits);
  canonicalizeResources(spec.resources?.requests);
  canonicalizeResources(spec.overhead);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

/** Fills a template's defaults in place, making its spec if there is none yet. */
export function defaultPodTemplate(template: Mutable<PodTemplateSpec> | undefined): void {
  if (template?.spec) defaultPodSpec(template.spec);
}

/** Fills what only a Pod itself gets, not a template: it is about to run, so nothing may stay open. */
export function defaultPodOnly(spec: Mutable<PodSpec>): void {
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    defaultRequests(container);
    if (spec.hostNetwork) for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
}
