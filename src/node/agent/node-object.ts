import type { Node, NodeCondition } from "../../api/core/types.gen.ts";

export interface MachineFacts {
  readonly name: string;
  readonly hostIP: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly platform: string;
  /** As Go names it: amd64, arm64. */
  readonly arch: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly bootId: string;
  /** ebb's version. */
  readonly version: string;
  readonly maxPods: number;
}

/** The Node as created: who and where it is. */
export function makeNode(facts: MachineFacts): Pick<Node, "apiVersion" | "kind" | "metadata" | "spec"> {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: facts.name,
      labels: {
        "kubernetes.io/hostname": facts.name,
        "kubernetes.io/os": facts.platform,
        "kubernetes.io/arch": facts.arch,
        "node.kubernetes.io/exclude-from-external-load-balancers": "true",
      },
    },
    spec: {},
  };
}

/** The Node's status; transition times move only when a condition's status does. */
export function makeNodeStatus(
  facts: MachineFacts,
  known: readonly NodeCondition[],
  { now, ready }: { readonly now: string; readonly ready: boolean },
): NonNullable<Node["status"]> {
  const resources = {
    cpu: String(facts.cpus),
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    pods: String(facts.maxPods),
    "ephemeral-storage": "100Gi",
  };
  return {
    capacity: resources,
    allocatable: resources,
    conditions: conditions(ready).map((condition) => {
      const before = known.find((c) => c.type === condition.type);
      const lastTransitionTime =
        before?.status === condition.status && before.lastTransitionTime !== undefined
          ? before.lastTransitionTime
          : now;
      return { ...condition, lastHeartbeatTime: now, lastTransitionTime };
    }),
    addresses: [
      { type: "InternalIP", address: facts.hostIP },
      { type: "Hostname", address: facts.name },
    ],
    nodeInfo: {
      machineID: facts.machineId,
      systemUUID: facts.machineId,
      bootID: facts.bootId,
      kernelVersion: facts.kernelVersion,
      osImage: facts.osImage,
      containerRuntimeVersion: `ebb-process://${facts.version}`,
      kubeletVersion: `v1.36.0-ebb-${facts.version}`,
      kubeProxyVersion: "",
      operatingSystem: facts.platform,
      architecture: facts.arch,
    },
  };
}

const conditions = (ready: boolean): readonly NodeCondition[] => [
  {
    type: "MemoryPressure",
    status: "False",
    reason: "KubeletHasSufficientMemory",
    message: "kubelet has sufficient memory available",
  },
  {
    type: "DiskPressure",
    status: "False",
    reason: "KubeletHasNoDiskPressure",
    message: "kubelet has no disk pressure",
  },
  {
    type: "PIDPressure",
    status: "False",
    reason: "KubeletHasSufficientPID",
    message: "kubelet has sufficient PID available",
  },
  ready
    ? { type: "Ready", status: "True", reason: "KubeletReady", message: "the node agent takes pods" }
    : { type: "Ready", status: "False", reason: "KubeletNotReady", message: "the node agent is stopping" },
];
