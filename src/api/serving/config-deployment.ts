/** ConfigMap config-deployment: how a Revision's pods are deployed (pkg/deployment/config.go). */
import { formatDuration } from "../meta/duration.ts";
import { cached, finish, readConfig, type ConfigData, type Parsed } from "./config-values.ts";

export interface DeploymentConfig {
  readonly progressDeadlineS: number;
  readonly digestResolutionTimeoutMs: number;
  /** Registries whose tags are left as they are: what is built here, and what cannot be asked. */
  readonly skipTagResolving: ReadonlySet<string>;
  /** True: a pod that no node can take now is waited for instead of failing its Revision. */
  readonly podIsAlwaysSchedulable: boolean;
}

export function parseDeploymentConfig(data: ConfigData): Parsed<DeploymentConfig> {
  const config = readConfig(data);
  const progressDeadlineMs = config.duration("progress-deadline", config.duration("progressDeadline", 600_000));
  const timeoutMs = config.duration("digest-resolution-timeout", config.duration("digestResolutionTimeout", 10_000));
  const go = formatDuration;
  config.require(
    progressDeadlineMs > 0,
    `progress-deadline cannot be a non-positive duration, was ${go(progressDeadlineMs)}`,
  );
  config.require(
    progressDeadlineMs % 1000 === 0,
    `progress-deadline must be rounded to a whole second, was: ${go(progressDeadlineMs)}`,
  );
  config.require(timeoutMs > 0, `digest-resolution-timeout cannot be a non-positive duration, was ${go(timeoutMs)}`);
  const skipped =
    data["registries-skipping-tag-resolving"] ?? data.registriesSkippingTagResolving ?? "kind.local,ko.local,dev.local";
  return finish(config, {
    progressDeadlineS: progressDeadlineMs / 1000,
    digestResolutionTimeoutMs: timeoutMs,
    skipTagResolving: new Set(skipped.split(",").map((registry) => registry.trim())),
    podIsAlwaysSchedulable: config.boolean("pod-is-always-schedulable", false),
  });
}

export const deploymentConfig: (data: ConfigData) => DeploymentConfig = cached(parseDeploymentConfig);
