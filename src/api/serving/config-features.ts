/** ConfigMap config-features: which optional fields and behaviours are on (pkg/apis/config/features.go). */

import { cached, type ConfigData, type Parsed } from "./config-values.ts";

export type Flag = "Enabled" | "Allowed" | "Disabled" | "AllowRootBounded";

const flags: readonly Flag[] = ["Enabled", "Allowed", "Disabled"];
const secureFlags: readonly Flag[] = ["Disabled", "AllowRootBounded", "Enabled"];

/** Flags that are on unless switched off; all others are off unless switched on. */
const onByDefault: ReadonlySet<string> = new Set(["multi-container", "kubernetes.podspec-volumes-emptydir"]);

/** The value of a flag by its key. A text that is no flag value reads as the default, as upstream has it. */
export type ServingFeatures = (key: string) => Flag;

export function parseServingFeatures(data: ConfigData): Parsed<ServingFeatures> {
  const known = new Map<string, Flag>();
  for (const [key, text] of Object.entries(data)) {
    const among = key === "secure-pod-defaults" ? secureFlags : flags;
    const flag = among.find((name) => name.toLowerCase() === text.trim().toLowerCase());
    if (flag) known.set(key, flag);
  }
  return { ok: true, value: (key) => known.get(key) ?? (onByDefault.has(key) ? "Enabled" : "Disabled") };
}

export const servingFeatures: (data: ConfigData) => ServingFeatures = cached(parseServingFeatures);

/** Fields of a RevisionSpec that need a flag, by the flag's key. */
export const podSpecFlags: Readonly<Record<string, string>> = {
  affinity: "kubernetes.podspec-affinity",
  topologySpreadConstraints: "kubernetes.podspec-topologyspreadconstraints",
  hostAliases: "kubernetes.podspec-hostaliases",
  nodeSelector: "kubernetes.podspec-nodeselector",
  runtimeClassName: "kubernetes.podspec-runtimeclassname",
  tolerations: "kubernetes.podspec-tolerations",
  securityContext: "kubernetes.podspec-securitycontext",
  shareProcessNamespace: "kubernetes.podspec-shareprocessnamespace",
  priorityClassName: "kubernetes.podspec-priorityclassname",
  schedulerName: "kubernetes.podspec-schedulername",
  initContainers: "kubernetes.podspec-init-containers",
  dnsPolicy: "kubernetes.podspec-dnspolicy",
  dnsConfig: "kubernetes.podspec-dnsconfig",
  hostIPC: "kubernetes.podspec-hostipc",
  hostPID: "kubernetes.podspec-hostpid",
  hostNetwork: "kubernetes.podspec-hostnetwork",
};

/** Volume sources that need a flag: its key, and how the denial calls the source. */
export const volumeFlags: Readonly<Record<string, { readonly key: string; readonly title: string }>> = {
  image: { key: "kubernetes.podspec-volumes-image", title: "Image volume" },
  emptyDir: { key: "kubernetes.podspec-volumes-emptydir", title: "EmptyDir volume" },
  hostPath: { key: "kubernetes.podspec-volumes-hostpath", title: "HostPath volume" },
  csi: { key: "kubernetes.podspec-volumes-csi", title: "CSI volume" },
  ephemeral: { key: "kubernetes.podspec-volumes-ephemeral", title: "Ephemeral volume" },
};

/** Tells whoever was refused how to allow it. */
export const flagHint = (keys: readonly string[]): string =>
  `to allow: set ${keys.join(", ")} to "enabled" in ConfigMap knative-serving/config-features`;
