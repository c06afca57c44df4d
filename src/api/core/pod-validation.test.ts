import { describe, expect, test } from "vitest";
import type { WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { podDefinition } from "./pod.ts";
import type { Container, Pod, PodSpec, PodStatus } from "./types.gen.ts";

const context: WriteContext = {
  operation: "create",
  user: { name: "tester", groups: [] },
  now: 0,
  configMap: () => ({}),
};

function made(spec: Partial<PodSpec>): Pod {
  const base = { containers: [{ name: "c", image: "i" }] };
  const pod = structuredClone({ metadata: { name: "p", namespace: "default" }, spec: { ...base, ...spec } });
  podDefinition.applyDefaults?.(pod as Mutable<Pod>, context);
  return pod as Pod;
}

const errorsOf = (pod: Pod, old?: Pod): string[] =>
  (podDefinition.validate?.(pod, old, context) ?? []).map((error) => `${error.field}: ${error.message}`);
const withContainer = (container: Partial<Container>): Pod =>
  made({ containers: [{ name: "c", image: "i", ...container }] });

test("a pod with nothing but an image is valid, and its defaults are those of Kubernetes", () => {
  const pod = made({});
  expect(errorsOf(pod)).toEqual([]);
  expect(pod.spec).toMatchObject({
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    terminationGracePeriodSeconds: 30,
    schedulerName: "default-scheduler",
    enableServiceLinks: true,
    serviceAccountName: "default",
    serviceAccount: "default",
    priority: 0,
    preemptionPolicy: "PreemptLowerPriority",
    tolerations: [
      { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
      { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    ],
    containers: [
      {
        imagePullPolicy: "Always",
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
      },
    ],
  });
});

describe("containers", () => {
  test.each<[Partial<Container>, string]>([
    [{ name: "" }, "spec.containers[0].name: Required value"],
    [{ name: "a.b" }, 'spec.containers[0].name: Invalid value: "a.b": must not contain dots'],
    [{ image: "" }, "spec.containers[0].image: Required value"],
    [{ image: " i" }, 'spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace'],
    [
      { imagePullPolicy: "Sometimes" },
      'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    ],
    [{ ports: [{ containerPort: 0 }] }, "spec.containers[0].ports[0].containerPort: Required value"],
    [
      { ports: [{ containerPort: 70000 }] },
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ],
    [
      {
        ports: [
          { containerPort: 1, name: "a" },
          { containerPort: 2, name: "a" },
        ],
      },
      'spec.containers[0].ports[1].name: Duplicate value: "a"',
    ],
    [
      { ports: [{ containerPort: 1, protocol: "ICMP" }] },
      'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [{ env: [{ name: "" }] }, "spec.containers[0].env[0].name: Required value"],
    [
      { env: [{ name: "A", valueFrom: {} }] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
    ],
    [
      { env: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.oops" } } }] },
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.oops": error converting fieldPath: field label not supported: spec.oops',
    ],
    [
      { env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "" } } }] },
      "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Required value",
    ],
    [
      { envFrom: [{}] },
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    ],
    [{ volumeMounts: [{ name: "v", mountPath: "/x" }] }, 'spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    [
      { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      { resources: { limits: { cpu: "-1" } } },
      'spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      { resources: { limits: { cpu: "lots" } } },
      "spec.containers[0].resources.limits[cpu]: Invalid value: \"lots\": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      { resources: { limits: { gpus: "1" } } },
      'spec.containers[0].resources.limits[gpus]: Invalid value: "gpus": must be a standard resource for containers',
    ],
    [{ livenessProbe: {} }, "spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    [
      { livenessProbe: { exec: { command: ["x"] }, tcpSocket: { port: 1 } } },
      "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
    ],
    [
      { livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } },
      "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
    ],
    [
      { readinessProbe: { httpGet: { port: "Web" } } },
      'spec.containers[0].readinessProbe.httpGet.port: Invalid value: "Web": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    ],
    [
      { readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: -1 } },
      "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
    ],
    [
      { securityContext: { runAsUser: -1 } },
      "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    ],
  ])("%j is refused", (container, expected) => {
    expect(errorsOf(withContainer(container))).toContain(expected);
  });

  test("names are unique among all kinds of containers", () => {
    const twin = { name: "c", image: "i" };
    expect(errorsOf(made({ containers: [twin, twin], initContainers: [twin] }))).toEqual([
      'spec.containers[1].name: Duplicate value: "c"',
      'spec.initContainers[0].name: Duplicate value: "c"',
    ]);
  });

  test("init containers take probes only when they keep running", () => {
    const readinessProbe = { tcpSocket: { port: 80 } };
    const init = { name: "i", image: "i", readinessProbe };
    expect(errorsOf(made({ initContainers: [init] }))).toEqual([
      "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ]);
    expect(errorsOf(made({ initContainers: [{ ...init, restartPolicy: "Always" }] }))).toEqual([]);
  });
});

describe("the pod itself", () => {
  test.each<[Partial<PodSpec>, string]>([
    [{ containers: [] }, "spec.containers: Required value"],
    [
      { restartPolicy: "Maybe" },
      'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      { activeDeadlineSeconds: 0 },
      "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
    ],
    [{ volumes: [{ name: "v" }, { name: "v" }] }, 'spec.volumes[1].name: Duplicate value: "v"'],
    [
      { volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] },
      "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
    ],
    [{ volumes: [{ name: "v", secret: {} }] }, "spec.volumes[0].secret.secretName: Required value"],
    [
      { volumes: [{ name: "v", configMap: { name: "c", items: [{ key: "k", path: "../x" }] } }] },
      `spec.volumes[0].configMap.items[0].path: Invalid value: "../x": must not contain '..'`,
    ],
    [
      { volumes: [{ name: "v", configMap: { name: "c", defaultMode: 512 } }] },
      "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
    ],
    [
      {
        volumes: [
          { name: "v", projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 60 } }] } },
        ],
      },
      "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes",
    ],
    [
      { tolerations: [{ key: "a", operator: "Exists", value: "b" }] },
      `spec.tolerations[0].operator: Invalid value: "b": value must be empty when \`operator\` is 'Exists'`,
    ],
    [
      { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }] },
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
    ],
    [
      {
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
        },
      },
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
    ],
    [{ dnsPolicy: "None" }, "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    [
      { nodeName: "n", schedulingGates: [{ name: "g" }] },
      "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
    ],
  ])("%j is refused", (spec, expected) => {
    expect(errorsOf(made(spec))).toContain(expected);
  });

  test("a volume without a source is an emptyDir", () => {
    expect(made({ volumes: [{ name: "v" }] }).spec.volumes).toEqual([{ name: "v", emptyDir: {} }]);
  });

  test("a pod on the host's network has its ports there", () => {
    const spec = { hostNetwork: true, containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }] };
    expect(made(spec).spec.containers[0]?.ports?.[0]).toMatchObject({ hostPort: 80 });
    const other = {
      hostNetwork: true,
      containers: [{ name: "c", image: "i", ports: [{ containerPort: 80, hostPort: 81 }] }],
    };
    expect(errorsOf(made(other))).toEqual([
      "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
    ]);
  });

  test("quantities are kept in their canonical form, and requests follow limits", () => {
    const pod = withContainer({ resources: { limits: { cpu: "0.5", memory: "1024Mi" } } });
    expect(pod.spec.containers[0]?.resources).toEqual({
      limits: { cpu: "500m", memory: "1Gi" },
      requests: { cpu: "500m", memory: "1Gi" },
    });
  });
});

describe("updates", () => {
  const old = made({ activeDeadlineSeconds: 100 });
  const changed = (spec: Partial<PodSpec>): Pod => ({ ...old, spec: { ...old.spec, ...spec } });

  test("images, tolerations and a shorter deadline may change", () => {
    const image = [{ ...old.spec.containers[0], name: "c", image: "other" }];
    const tolerations = [...(old.spec.tolerations ?? []), { key: "x", operator: "Exists" }];
    expect(errorsOf(changed({ containers: image, tolerations, activeDeadlineSeconds: 50 }), old)).toEqual([]);
  });

  test.each<[Partial<PodSpec>, string]>([
    [
      { activeDeadlineSeconds: 200 },
      "spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value",
    ],
    [
      { tolerations: [] },
      "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
    ],
    [{ containers: [] }, "spec.containers: Forbidden: pod updates may not add or remove containers"],
    [
      { schedulingGates: [{ name: "g" }] },
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
    ],
    [
      { hostNetwork: true },
      "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\nspec.hostNetwork: unset -> true",
    ],
  ])("%j is refused", (spec, expected) => {
    expect(errorsOf(changed(spec), old)).toContain(expected);
  });
});

describe("status writes", () => {
  const statusErrors = (status: PodStatus, before: PodStatus, restartPolicy = "Never"): string[] => {
    const spec = { ...made({}).spec, restartPolicy };
    const pod = { metadata: { name: "p" }, spec };
    const errors = podDefinition.validateStatus?.({ ...pod, status }, { ...pod, status: before }) ?? [];
    return errors.map((error) => `${error.field}: ${error.message}`);
  };
  const base = { name: "c", ready: false, restartCount: 0, image: "i", imageID: "" };
  const ended = { containerStatuses: [{ ...base, state: { terminated: { exitCode: 1 } } }] };
  const running = { containerStatuses: [{ ...base, state: { running: {} } }] };

  test("an ended container runs again only where its restart policy lets it", () => {
    const refused = ["status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"];
    expect(statusErrors(running, ended, "Never")).toEqual(refused);
    expect(statusErrors(running, ended, "OnFailure")).toEqual([]);
    expect(statusErrors(running, ended, "Always")).toEqual([]);
  });

  test.each<[PodStatus, PodStatus, string]>([
    [
      { qosClass: "Burstable" },
      { qosClass: "BestEffort" },
      'status.qosClass: Invalid value: "Burstable": field is immutable',
    ],
    [{ observedGeneration: -1 }, {}, "status.observedGeneration: Invalid value: -1: must be a non-negative integer"],
    [
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.2" }] },
      {},
      'status.podIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `podIP`',
    ],
    [
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] },
      {},
      'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
    ],
    [
      { podIP: "x", podIPs: [{ ip: "x" }] },
      {},
      'status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ])("%j over %j is refused", (status, before, expected) => {
    expect(statusErrors(status, before)).toContain(expected);
  });
});
