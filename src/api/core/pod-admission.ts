/**
 * What built-in admission adds to a new Pod, as pure functions on the Pod; the server reads the ServiceAccount and
 * PriorityClass they need (Kubernetes plugin/pkg/admission/{serviceaccount,defaulttolerationseconds,priority}).
 */
import type { Mutable } from "../meta/object.ts";
import type { Pod, ServiceAccount, Toleration, Volume } from "./types.gen.ts";

const tokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const tokenExpirationSeconds = 3607;
const evictionTolerationSeconds = 300;
const nodeProblems = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Lets the Pod stay five minutes on a node that is not ready or unreachable, unless it says otherwise. */
export function tolerateNodeProblems(pod: Mutable<Pod>): void {
  const own = pod.spec.tolerations ?? [];
  const missing = nodeProblems.filter((key) => !own.some((toleration) => toleratesEviction(toleration, key)));
  if (missing.length === 0) return;
  pod.spec.tolerations = [
    ...own,
    ...missing.map((key) => ({
      key,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: evictionTolerationSeconds,
    })),
  ];
}

function toleratesEviction({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === "NoExecute");
}

/** Whether the Pod gets its account's token: the Pod's own word counts over the account's. */
export function mountsToken(pod: Pod, account: ServiceAccount): boolean {
  return pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

/**
 * Gives the Pod its account's image pull secrets and, unless turned off, the projected volume with token, CA and
 * namespace, mounted in every container that has nothing at that path. `suffix` makes the volume's name unique.
 */
export function applyServiceAccount(pod: Mutable<Pod>, account: ServiceAccount, suffix: string): void {
  if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
    pod.spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
  if (!mountsToken(pod, account)) return;
  const name = pod.spec.volumes?.find(isTokenVolume)?.name ?? `kube-api-access-${suffix}`;
  let mounted = false;
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === tokenMountPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenMountPath }];
    mounted = true;
  }
  if (mounted && !pod.spec.volumes?.some((volume) => volume.name === name))
    pod.spec.volumes = [...(pod.spec.volumes ?? []), tokenVolume(name)];
}

function isTokenVolume(volume: Volume): boolean {
  return volume.name.startsWith("kube-api-access-") && volume.projected !== undefined;
}

function tokenVolume(name: string): Mutable<Volume> {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenExpirationSeconds, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}
