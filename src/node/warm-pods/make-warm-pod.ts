import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Container, Pod, PodSpec } from "../../api/core/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import type { OwnerReference } from "../../api/meta/types.gen.ts";
import { hostAudience, hostTokenFile } from "../../functions/hosts/protocol.ts";
import { warmAnnotations, warmLabels } from "./names.ts";
import type { PoolClass } from "./pool-class.ts";

/** What pods of a host are made from. */
export interface HostImageSettings {
  /** As nodes pull it; pinned by digest where it comes from a registry. */
  readonly image: string;
  /** The words that run the host; `wait` follows. */
  readonly command: readonly string[];
  /** Certificates that vouch for claimers, PEM. */
  readonly ca: string;
}

/** What the user of the image is called by, and all a pod of Pod Security `restricted` has to say. */
const restrictedPod = {
  runAsNonRoot: true,
  runAsUser: 65532,
  runAsGroup: 65532,
  fsGroup: 65532,
  seccompProfile: { type: "RuntimeDefault" },
} as const;

const restrictedContainer = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
} as const;

/** Kubernetes' least is ten minutes; the kubelet asks for another when four fifths of it have passed. */
const tokenSeconds = 3600;

/** Changes with everything a waiting pod cannot take on later. */
export const versionOf = ({ image, command, ca }: HostImageSettings): string =>
  createHash("sha256")
    .update(JSON.stringify([image, command, ca]))
    .digest("hex")
    .slice(0, 16);

/**
 * A pod that waits for a function. It names no function and holds nothing that is worth anything elsewhere: the key it
 * is claimed by is made inside, in memory, and its token says to ebb's claimers, and to nobody else, which pod it is.
 */
export function makeWarmPod(
  pool: PoolClass,
  settings: HostImageSettings,
  { name, namespaceUid }: { readonly name: string; readonly namespaceUid?: string | undefined },
): Draft<Pod> {
  const { namespace, key, spec, container } = pool;
  const token = { audience: hostAudience, expirationSeconds: tokenSeconds, path: posix.basename(hostTokenFile) };
  const security = { ...restrictedContainer, ...container.securityContext };
  const image = { image: settings.image, imagePullPolicy: "IfNotPresent", securityContext: security } as const;
  return {
    metadata: {
      name,
      namespace,
      labels: { [warmLabels.pool]: key, "app.kubernetes.io/managed-by": "ebb" },
      annotations: {
        [warmAnnotations.version]: versionOf(settings),
        "kubectl.kubernetes.io/default-container": "user-container",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
      },
      ...(namespaceUid === undefined ? {} : { ownerReferences: [controlledBy(namespace, namespaceUid)] }),
    },
    spec: {
      ...spec,
      securityContext: { ...restrictedPod, ...spec.securityContext },
      containers: [{ ...makeHost(pool, settings), ...image }],
      volumes: [
        { name: "identity", projected: { sources: [{ serviceAccountToken: token }] } },
        { name: "app", emptyDir: {} },
        { name: "tmp", emptyDir: {} },
      ],
    } as PodSpec,
  };
}

/**
 * `kubectl drain` refuses to end a pod without a controller, since nobody would make another. Somebody would, and who that
 * is has no object in this namespace; so it is the namespace's.
 */
const controlledBy = (name: string, uid: string): OwnerReference => ({
  apiVersion: "v1",
  kind: "Namespace",
  name,
  uid,
  controller: true,
});

function makeHost({ port, container }: PoolClass, { command, ca }: HostImageSettings): Container {
  return {
    // As Serving calls the only container of a Revision: `kubectl logs -c user-container` finds it in every pod.
    name: "user-container",
    command: [...command, "wait"],
    env: [
      { name: "PORT", value: String(port) },
      { name: "EBB_CLAIM_CA", value: ca },
    ],
    ports: [{ name: "user-port", containerPort: port, protocol: "TCP" }],
    // The host listens from the start, and the function behind the same listener: ready before and after.
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: container.resources ?? {},
    ...(container.lifecycle ? { lifecycle: container.lifecycle } : {}),
    volumeMounts: [
      { name: "identity", mountPath: posix.dirname(hostTokenFile), readOnly: true },
      { name: "app", mountPath: "/app" },
      { name: "tmp", mountPath: "/tmp" },
    ],
  } as Container;
}
