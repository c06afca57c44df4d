import type { RevisionSpec } from "../api/serving/types.gen.ts";
import { defaultSettings, type RevisionSettings } from "./revision-runtime.ts";

/** The data plane's part of a Revision. Seconds become milliseconds; unset and 0 mean the default or no limit. */
export function revisionSettings(spec: RevisionSpec): RevisionSettings {
  return Object.freeze({
    concurrency: spec.containerConcurrency ?? 0,
    timeoutMs: spec.timeoutSeconds ? spec.timeoutSeconds * 1000 : defaultSettings.timeoutMs,
    responseStartMs: (spec.responseStartTimeoutSeconds ?? 0) * 1000,
    idleMs: (spec.idleTimeoutSeconds ?? 0) * 1000,
  });
}
