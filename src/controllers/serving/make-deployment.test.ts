import { expect, test } from "vitest";
import type { Revision, RevisionSpec } from "../../api/serving/types.gen.ts";
import { makeDeployment } from "./make-deployment.ts";

const settings = { initialScale: 1, progressDeadlineS: 600, drainS: 0 };
const revision = (spec: Partial<RevisionSpec>, annotations: Record<string, string> = {}): Revision => ({
  metadata: {
    name: "hello-00001",
    namespace: "default",
    uid: "u",
    labels: {
      "serving.knative.dev/configuration": "hello",
      "serving.knative.dev/service": "hello",
      "serving.knative.dev/routingState": "active",
      team: "a",
    },
    annotations,
  },
  spec: { containers: [{ name: "user-container", image: "dev.local/hello" }], ...spec },
});
const podSpec = (spec: Partial<RevisionSpec>) => makeDeployment(revision(spec), settings).spec.template.spec;

test("bears the Revision's labels but its routing state, and its annotations but those about scaling", () => {
  const made = makeDeployment(
    revision({}, { note: "x", "autoscaling.knative.dev/min-scale": "1", "serving.knative.dev/routes": "hello" }),
    settings,
  );
  expect(made.metadata.labels).toEqual({
    app: "hello-00001",
    team: "a",
    "serving.knative.dev/configuration": "hello",
    "serving.knative.dev/service": "hello",
    "serving.knative.dev/revision": "hello-00001",
    "serving.knative.dev/revisionUID": "u",
  });
  expect(made.metadata.annotations).toEqual({ note: "x" });
  expect(made.spec.template.metadata?.annotations).toEqual({
    note: "x",
    "kubectl.kubernetes.io/default-container": "user-container",
  });
});

test("starts with the annotated scale and deadline", () => {
  const annotations = { "autoscaling.knative.dev/initialScale": "3", "serving.knative.dev/progress-deadline": "90s" };
  const { spec } = makeDeployment(revision({}, annotations), settings);
  expect(spec).toMatchObject({ replicas: 3, progressDeadlineSeconds: 90 });
});

test("gives only the container with the port PORT, and every container the K_ variables", () => {
  const made = podSpec({
    containers: [
      { name: "side", image: "dev.local/side", env: [{ name: "PORT", value: "1" }] },
      { name: "main", image: "dev.local/main", ports: [{ containerPort: 9000, name: "h2c" }] },
    ],
  });
  const env = made?.containers.map((container) => container.env?.map(({ name, value }) => `${name}=${value}`));
  const knative = ["K_REVISION=hello-00001", "K_CONFIGURATION=hello", "K_SERVICE=hello"];
  expect(env).toEqual([
    ["PORT=1", ...knative],
    ["PORT=9000", ...knative],
  ]);
  expect(made?.containers[1]?.ports).toEqual([{ name: "user-port", containerPort: 9000, protocol: "TCP" }]);
});

test("points probes at the serving port where they name none", () => {
  const made = podSpec({
    containers: [
      {
        name: "main",
        image: "i",
        ports: [{ containerPort: 9000 }],
        readinessProbe: { httpGet: { path: "/ready", port: 0 }, successThreshold: 1 },
        livenessProbe: { httpGet: { path: "/live", port: "http1" } },
        startupProbe: { tcpSocket: { port: 9001 } },
      },
    ],
  });
  expect(made?.containers[0]).toMatchObject({
    readinessProbe: { httpGet: { path: "/ready", port: 9000 }, periodSeconds: 1 },
    livenessProbe: { httpGet: { path: "/live", port: 9000 } },
    startupProbe: { tcpSocket: { port: 9001 } },
  });
});

test("keeps what is the pod's and drops what is the Revision's alone", () => {
  const made = podSpec({
    serviceAccountName: "robot",
    timeoutSeconds: 30,
    containerConcurrency: 5,
    idleTimeoutSeconds: 3,
  });
  expect(made).toMatchObject({ serviceAccountName: "robot", terminationGracePeriodSeconds: 30 });
  expect(Object.keys(made ?? {}).sort()).toEqual(["containers", "serviceAccountName", "terminationGracePeriodSeconds"]);
});

test("where routers are told of an end by the API, containers go on for a while before they are", () => {
  const made = makeDeployment(revision({ timeoutSeconds: 30 }), { ...settings, drainS: 10 }).spec.template?.spec;
  expect(made?.containers[0]?.lifecycle).toEqual({ preStop: { sleep: { seconds: 10 } } });
  expect(made?.terminationGracePeriodSeconds).toBe(40);
});

test("leaves lost nodes after so many seconds, but for those whose troubles its user speaks of", () => {
  const own = { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 };
  const tolerationsOf = (tolerations: readonly object[]) =>
    makeDeployment(revision({ tolerations } as object), { ...settings, leaveNodeS: 30 }).spec.template?.spec
      ?.tolerations;
  const added = { operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 };
  expect(tolerationsOf([])).toEqual([
    { key: "node.kubernetes.io/not-ready", ...added },
    { key: "node.kubernetes.io/unreachable", ...added },
  ]);
  expect(tolerationsOf([own])).toEqual([own, { key: "node.kubernetes.io/not-ready", ...added }]);
  expect(tolerationsOf([{ operator: "Exists" }])).toEqual([{ operator: "Exists" }]);
});
