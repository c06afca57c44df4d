import { describe, expect, test } from "vitest";
import type { WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { planAddresses } from "./service-addresses.ts";
import { serviceDefinition } from "./service.ts";
import type { Service, ServiceSpec } from "./types.gen.ts";

const context: WriteContext = { operation: "create", user: { name: "t", groups: [] }, now: 0, configMap: () => ({}) };
const port = { port: 80 };

function made(spec: ServiceSpec, old?: Service): Service {
  const service = structuredClone({ metadata: { name: "s", namespace: "default" }, spec }) as Mutable<Service>;
  serviceDefinition.applyDefaults?.(service, context);
  serviceDefinition.prepare?.(service, old, context);
  return service as Service;
}

const errorsOf = (service: Service, old?: Service): string[] =>
  (serviceDefinition.validate?.(service, old, context) ?? []).map((error) => `${error.field}: ${error.message}`);

test("a Service is a ClusterIP to the same port unless it says otherwise", () => {
  const service = made({ ports: [port] });
  expect(errorsOf(service)).toEqual([]);
  expect(service.spec).toEqual({
    type: "ClusterIP",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    ipFamilyPolicy: "SingleStack",
    ipFamilies: ["IPv4"],
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
  });
});

describe("refused", () => {
  test.each<[ServiceSpec, string]>([
    [{}, "spec.ports: Required value"],
    [
      { type: "Other", ports: [port] },
      'spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [{ ports: [port, { port: 81 }] }, "spec.ports[0].name: Required value"],
    [
      {
        ports: [
          { port: 80, name: "a" },
          { port: 80, name: "b" },
        ],
      },
      'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
    ],
    [
      {
        ports: [
          { port: 80, name: "a" },
          { port: 81, name: "a" },
        ],
      },
      'spec.ports[1].name: Duplicate value: "a"',
    ],
    [{ ports: [{ port: 0 }] }, "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    [
      { ports: [{ port: 80, nodePort: 30080 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] },
      "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
    ],
    [
      { type: "NodePort", clusterIP: "None", ports: [port] },
      `spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`,
    ],
    [{ type: "ExternalName" }, "spec.externalName: Required value"],
    [
      { type: "ExternalName", externalName: "a", clusterIP: "10.0.0.1" },
      "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
    ],
    [
      { ports: [port], clusterIP: "x" },
      'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      { ports: [port], externalTrafficPolicy: "Local" },
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
    [
      { ports: [port], externalIPs: ["127.0.0.1"] },
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ])("%j", (spec, expected) => {
    expect(errorsOf(made(spec))).toContain(expected);
  });
});

describe("addresses", () => {
  const old: Service = {
    ...made({ type: "NodePort", ports: [port] }),
    spec: {
      ...made({ type: "NodePort", ports: [port] }).spec,
      clusterIP: "10.0.0.7",
      clusterIPs: ["10.0.0.7"],
      ports: [{ port: 80, protocol: "TCP", targetPort: 80, nodePort: 30080 }],
    },
  };

  test("a new Service asks for an address and for node ports where its type has them", () => {
    expect(planAddresses(made({ ports: [port] }).spec, undefined)).toMatchObject({
      clusterIp: "allocate",
      allocateNodePorts: [],
    });
    expect(planAddresses(made({ type: "NodePort", ports: [port] }).spec, undefined).allocateNodePorts).toEqual([0]);
    expect(planAddresses(made({ clusterIP: "None" }).spec, undefined).clusterIp).toBeUndefined();
    expect(planAddresses(made({ clusterIP: "10.0.0.9", ports: [port] }).spec, undefined).clusterIp).toEqual({
      take: "10.0.0.9",
    });
  });

  test("a manifest that never named them keeps its address and node ports", () => {
    const next = made({ type: "NodePort", ports: [port, { port: 81, name: "b" }] }, old);
    expect(next.spec).toMatchObject({ clusterIP: "10.0.0.7", clusterIPs: ["10.0.0.7"] });
    expect(next.spec.ports?.[0]?.nodePort).toBe(30080);
    expect(planAddresses(next.spec, old.spec)).toEqual({
      clusterIp: undefined,
      releaseClusterIp: undefined,
      allocateNodePorts: [1],
      takeNodePorts: [],
      releaseNodePorts: [],
    });
  });

  test("a change of type gives back what it has no use for", () => {
    const plain = made({ ports: old.spec.ports ?? [] }, old);
    expect(errorsOf(plain, old)).toEqual([]);
    expect(planAddresses(plain.spec, old.spec).releaseNodePorts).toEqual([30080]);
    const patched = made({ ...old.spec, type: "ClusterIP" }, old);
    expect(errorsOf(patched, old)).toEqual([]);
    expect(patched.spec).not.toHaveProperty("externalTrafficPolicy");
    const name = made({ ...old.spec, type: "ExternalName", externalName: "a.example" }, old);
    expect(errorsOf(name, old)).toEqual([]);
    expect(planAddresses(name.spec, old.spec).releaseClusterIp).toBe("10.0.0.7");
  });

  test("the address itself cannot be changed", () => {
    expect(errorsOf(made({ ports: [port], clusterIP: "10.0.0.8" }, old), old)).toContain(
      'spec.clusterIPs[0]: Invalid value: ["10.0.0.8"]: may not change once set',
    );
  });
});

test.each<[ServiceSpec, Service["status"], readonly string[]]>([
  [{ clusterIP: "10.0.0.1", ports: [port] }, {}, ["ClusterIP", "10.0.0.1", "<none>", "80/TCP"]],
  [{ clusterIP: "None" }, {}, ["ClusterIP", "None", "<none>", "<none>"]],
  [
    {
      type: "NodePort",
      clusterIP: "10.0.0.1",
      ports: [
        { port: 80, nodePort: 30080 },
        { port: 53, protocol: "UDP", name: "d" },
      ],
    },
    {},
    ["NodePort", "10.0.0.1", "<none>", "80:30080/TCP,53/UDP"],
  ],
  [
    { type: "LoadBalancer", clusterIP: "10.0.0.1", ports: [port] },
    {},
    ["LoadBalancer", "10.0.0.1", "<pending>", "80/TCP"],
  ],
  [
    { type: "LoadBalancer", clusterIP: "10.0.0.1", ports: [port] },
    { loadBalancer: { ingress: [{ ip: "1.2.3.4" }, { hostname: "a.b" }] } },
    ["LoadBalancer", "10.0.0.1", "1.2.3.4,a.b", "80/TCP"],
  ],
  [{ type: "ExternalName", externalName: "a.example" }, {}, ["ExternalName", "<none>", "a.example", "<none>"]],
])("columns of %j", (spec, status, expected) => {
  const service = { ...made(spec), ...(status ? { status } : {}) };
  const names = ["Type", "Cluster-IP", "External-IP", "Port(s)"];
  const cells = names.map((name) => serviceDefinition.columns.find((column) => column.name === name)?.cell(service, 0));
  expect(cells).toEqual(expected);
});
