import { describe, expect, test } from "vitest";
import type { WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { denialText } from "../meta/webhook-denial.ts";
import type { Route, Service } from "./types.gen.ts";
import { routeDefinition, serviceDefinition } from "./v1-definitions.ts";

const contextOf = (
  operation: "create" | "update",
  maps: Readonly<Record<string, Record<string, string>>> = {},
): WriteContext => ({
  operation,
  user: { name: "ada", groups: [] },
  now: 0,
  configMap: (_namespace, name) => maps[name] ?? {},
});

type Change = (service: Mutable<Service>) => void;

const hello = (change: Change = () => {}): Mutable<Service> => {
  const service: Mutable<Service> = {
    metadata: { name: "hello", namespace: "default" },
    spec: { template: { spec: { containers: [{ image: "dev.local/hello" }] } } },
  };
  change(service);
  return service;
};

/** Runs what the API server runs on a write and gives the stored object and the denial's text. */
function write(service: Mutable<Service>, old?: Service, maps?: Readonly<Record<string, Record<string, string>>>) {
  const context = contextOf(old ? "update" : "create", maps);
  serviceDefinition.prepare?.(service, old, context);
  return {
    service: service as Service,
    denial: denialText(serviceDefinition.validate?.(service as Service, old, context) ?? []),
  };
}

const container = (service: Mutable<Service>) => service.spec.template.spec.containers[0]!;

describe("defaults of a new Service", () => {
  test("fill in traffic, times, probe and names", () => {
    const { service, denial } = write(hello());
    expect(denial).toBe("");
    expect(service.spec).toEqual({
      traffic: [{ percent: 100, latestRevision: true }],
      template: {
        spec: {
          containerConcurrency: 0,
          timeoutSeconds: 300,
          enableServiceLinks: false,
          containers: [
            {
              name: "user-container",
              image: "dev.local/hello",
              resources: {},
              readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 },
            },
          ],
        },
      },
    });
    expect(service.metadata.annotations).toEqual({
      "serving.knative.dev/creator": "ada",
      "serving.knative.dev/lastModifier": "ada",
    });
  });

  test("are the same when applied again", () => {
    const { service } = write(hello());
    const again = write(structuredClone(service) as Mutable<Service>, service);
    expect(again.service).toEqual(service);
    expect(again.denial).toBe("");
  });

  test("bound the start of a response only below the whole time-out", () => {
    const { service } = write(hello((s) => (s.spec.template.spec.timeoutSeconds = 400)));
    expect(service.spec.template.spec.responseStartTimeoutSeconds).toBe(300);
  });

  test("come from config-defaults where it says so", () => {
    const maps = {
      "config-defaults": {
        "revision-timeout-seconds": "30",
        "container-name-template": "{{.Name}}-main",
        "revision-cpu-request": "250m",
      },
    };
    const { service } = write(hello(), undefined, maps);
    expect(service.spec.template.spec).toMatchObject({
      timeoutSeconds: 30,
      containers: [{ name: "hello-main", resources: { requests: { cpu: "250m" } } }],
    });
  });

  test("number several unnamed containers past names in use", () => {
    const { service } = write(
      hello((s) => {
        s.spec.template.spec.containers = [
          { image: "a", ports: [{ containerPort: 8080 }] },
          { image: "b" },
          { image: "c", name: "user-container-1" },
        ];
      }),
    );
    expect(service.spec.template.spec.containers.map((c) => c.name)).toEqual([
      "user-container-0",
      "user-container-2",
      "user-container-1",
    ]);
  });
});

const cases: readonly [string, Change, string][] = [
  ["no image", (s) => delete container(s).image, "missing field(s): spec.template.spec.containers[0].image"],
  [
    "a bad image",
    (s) => (container(s).image = "Foo bar"),
    'Failed to parse image reference: spec.template.spec.containers[0].image\nimage: "Foo bar", error: invalid repository name part "Foo bar": want a-z, 0-9 and single separators',
  ],
  [
    "too long a time-out",
    (s) => (s.spec.template.spec.timeoutSeconds = 700),
    "expected 0 <= 700 <= 600: spec.template.spec.timeoutSeconds",
  ],
  [
    "too much concurrency",
    (s) => (s.spec.template.spec.containerConcurrency = 1001),
    "expected 0 <= 1001 <= 1000: spec.template.spec.containerConcurrency",
  ],
  [
    "a reserved variable",
    (s) => (container(s).env = [{ name: "PORT", value: "1" }]),
    '"PORT" is a reserved environment variable: spec.template.spec.containers[0].env[0].name',
  ],
  [
    "a wrong service account",
    (s) => (s.spec.template.spec.serviceAccountName = "foo@bar.baz"),
    "invalid value: foo@bar.baz: spec.template.spec.serviceAccountName\na lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
  [
    "traffic that is not 100 %",
    (s) => (s.spec.traffic = [{ percent: 50, latestRevision: true }]),
    "Traffic targets sum to 50, want 100: spec.traffic",
  ],
  [
    "a tag twice",
    (s) =>
      (s.spec.traffic = [
        { percent: 50, tag: "t" },
        { percent: 50, tag: "t", revisionName: "hello-00001" },
      ]),
    'Multiple definitions for "t": spec.traffic[0].tag, spec.traffic[1].tag',
  ],
  [
    "a pinned target that is the latest",
    (s) => (s.spec.traffic = [{ percent: 100, revisionName: "hello-00001", latestRevision: true }]),
    'may not set revisionName "hello-00001" when latestRevision is true: spec.traffic[0].latestRevision',
  ],
  [
    "an unpinned target that is not the latest",
    (s) => (s.spec.traffic = [{ percent: 100, latestRevision: false }]),
    'may not set revisionName "" when latestRevision is false: spec.traffic[0].latestRevision',
  ],
  [
    "a configuration in a Service's traffic",
    (s) => (s.spec.traffic = [{ percent: 100, configurationName: "hello" }]),
    "must not set the field(s): spec.traffic[0].configurationName",
  ],
  [
    "an autoscaling annotation outside the template",
    (s) => (s.metadata.annotations = { "autoscaling.knative.dev/min-scale": "1" }),
    'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\nautoscaling annotations must be put under "spec.template.metadata.annotations" to work',
  ],
  [
    "min above max scale",
    (s) =>
      (s.spec.template.metadata = {
        name: "",
        annotations: { "autoscaling.knative.dev/min-scale": "5", "autoscaling.knative.dev/maxScale": "2" },
      }),
    "max-scale=2 is less than min-scale=5: spec.template.metadata.annotations.autoscaling.knative.dev/max-scale, spec.template.metadata.annotations.autoscaling.knative.dev/min-scale",
  ],
  [
    "a revision name without the prefix",
    (s) => (s.spec.template.metadata = { name: "other-1" }),
    'invalid value: "other-1" must have prefix "hello-": spec.template.metadata.name',
  ],
  [
    "a named revision of a Service whose name the server makes",
    (s) => {
      s.metadata.generateName = "hello-";
      s.spec.template.metadata = { name: "hello-1" };
    },
    "must not set the field(s): spec.template.metadata.name",
  ],
  [
    "two ports",
    (s) => (container(s).ports = [{ containerPort: 80 }, { containerPort: 81 }]),
    "more than one container port is set: spec.template.spec.containers[*].ports\nOnly a single port is allowed across all containers",
  ],
  [
    "two probe handlers",
    (s) => (container(s).livenessProbe = { exec: { command: ["a"] }, tcpSocket: { port: 0 } }),
    "expected exactly one, got both: spec.template.spec.containers[0].livenessProbe.exec, spec.template.spec.containers[0].livenessProbe.tcpSocket",
  ],
  [
    "fields behind flags",
    (s) => (s.spec.template.spec.nodeSelector = { a: "b" }),
    'must not set the field(s): spec.template.spec.nodeSelector\nto allow: set kubernetes.podspec-nodeselector to "enabled" in ConfigMap knative-serving/config-features',
  ],
  [
    "a volume that nobody mounts",
    (s) => (s.spec.template.spec.volumes = [{ name: "v", emptyDir: {} }]),
    'volume with name "v" not mounted: spec.template.spec.volumes[0].name',
  ],
  [
    "a rollout of half seconds",
    (s) => (s.metadata.annotations = { "serving.knative.dev/rollout-duration": "1.5s" }),
    "rollout-duration=1.5s is not at second precision: metadata.annotations.serving.knative.dev/rollout-duration",
  ],
  [
    "a name that is no label",
    (s) => (s.metadata.name = "1a"),
    "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name",
  ],
];

test.each(cases)("denies %s", (_what, change, denial) => {
  expect(write(hello(change)).denial).toBe(denial);
});

describe("an update", () => {
  const stored = write(hello((s) => (s.spec.template.metadata = { name: "hello-one" }))).service;
  const edited = (change: Change): Mutable<Service> => {
    const copy = structuredClone(stored) as Mutable<Service>;
    change(copy);
    return copy;
  };

  test("of a user-named template needs a new name", () => {
    const { denial } = write(
      edited((s) => (container(s).image = "dev.local/other")),
      stored,
    );
    expect(denial).toBe(
      'Saw the following changes without a name change (-old +new): spec.template.metadata.name\ntemplate.spec.containers[0].image:\n\t-: "dev.local/hello"\n\t+: "dev.local/other"',
    );
  });

  test("of the same user-named template does not take up changed defaults", () => {
    const { service, denial } = write(
      edited(() => {}),
      stored,
      { "config-defaults": { "revision-cpu-request": "1" } },
    );
    expect(denial).toBe("");
    expect(service.spec).toEqual(stored.spec);
  });

  test("records who changed the spec and keeps the creator", () => {
    const changed = edited((s) => (s.spec.template.metadata = { name: "hello-two" }));
    const context = { ...contextOf("update"), user: { name: "bob", groups: [] } };
    serviceDefinition.prepare?.(changed, stored, context);
    expect(changed.metadata.annotations).toEqual({
      "serving.knative.dev/creator": "ada",
      "serving.knative.dev/lastModifier": "bob",
    });
  });

  test("that leaves the creator out keeps it", () => {
    const replaced = hello((s) => (s.spec.template.metadata = { name: "hello-one" }));
    const { service, denial } = write(replaced, stored);
    expect(denial).toBe("");
    expect(service.metadata.annotations).toEqual(stored.metadata.annotations);
  });

  test("cannot take over the creator", () => {
    const { denial } = write(
      edited(
        (s) =>
          (s.metadata.annotations = {
            "serving.knative.dev/creator": "eve",
            "serving.knative.dev/lastModifier": "ada",
          }),
      ),
      stored,
    );
    expect(denial).toBe("annotation value is immutable: metadata.annotations.serving.knative.dev/creator");
  });
});

test("a Route's target names exactly one of revision and configuration", () => {
  const route: Mutable<Route> = {
    metadata: { name: "r", namespace: "default" },
    spec: { traffic: [{ percent: 100 }] },
  };
  routeDefinition.prepare?.(route, undefined, contextOf("create"));
  const errors = routeDefinition.validate?.(route as Route, undefined, contextOf("create")) ?? [];
  expect(denialText(errors)).toBe(
    "expected exactly one, got neither: spec.traffic[0].configurationName, spec.traffic[0].revisionName",
  );
});
