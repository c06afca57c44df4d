import { expect, test } from "vitest";
import { isApiError } from "../../api/meta/errors.ts";
import { schemaOf } from "../../api/schemas.ts";
import { conformToGoTypes } from "./go-types.ts";

function conform(object: Record<string, unknown>, message = "apps.v1.Deployment"): Record<string, unknown> {
  conformToGoTypes(object, schemaOf(message), { kind: message.split(".").at(-1) ?? "", version: "v1" });
  return object;
}

function complaint(object: Record<string, unknown>, message?: string): string {
  try {
    conform(object, message);
  } catch (error) {
    if (isApiError(error) && error.code === 400) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const container = (fields: Record<string, unknown>): Record<string, unknown> => ({
  spec: { template: { spec: { containers: [fields] } } },
});

test.each([
  [{ spec: { replicas: "3" } }, "string into Go struct field DeploymentSpec.spec.replicas of type int32"],
  [{ spec: { replicas: 1.5 } }, "number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"],
  [
    { spec: { replicas: 2 ** 31 } },
    "number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [{ metadata: { labels: { a: 1 } } }, "number into Go struct field ObjectMeta.metadata.labels of type string"],
  [{ spec: "x" }, "string into Go struct field Deployment.spec of type v1.DeploymentSpec"],
  [
    container({ name: "a", ports: [{ containerPort: "80" }] }),
    "string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32",
  ],
  [
    { spec: { template: { spec: { containers: {} } } } },
    "object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
  ],
  [{ spec: { paused: "yes" } }, "string into Go struct field DeploymentSpec.spec.paused of type bool"],
])("a value of a wrong type is refused in the words of Go's decoder %#", (object, expected) => {
  expect(complaint(object)).toBe(
    `Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal ${expected}`,
  );
});

test("bad quantities, times and base64 are told as upstream tells them", () => {
  expect(complaint(container({ resources: { limits: { cpu: "a lot" } } }))).toContain("quantities must match");
  expect(complaint({ metadata: { creationTimestamp: "today" } })).toContain('parsing time "today"');
  expect(complaint({ data: { a: "no base64!" } }, "core.v1.Secret")).toContain("illegal base64 data at input byte 2");
});

test("null means absent, quantities and times become canonical", () => {
  const object = {
    metadata: { creationTimestamp: null, deletionTimestamp: "2026-01-02T04:04:05.678+01:00" },
    ...container({
      name: "a",
      image: null,
      resources: { limits: { cpu: 0.5, memory: "1024Mi" }, requests: { cpu: 1 } },
    }),
  };
  expect(conform(object)).toEqual({
    metadata: { deletionTimestamp: "2026-01-02T03:04:05Z" },
    ...container({ name: "a", resources: { limits: { cpu: "500m", memory: "1Gi" }, requests: { cpu: "1" } } }),
  });
});

test("micro times keep six decimals", () => {
  const lease = conform({ spec: { renewTime: "2026-01-02T03:04:05.5Z" } }, "coordination.v1.Lease");
  expect(lease).toEqual({ spec: { renewTime: "2026-01-02T03:04:05.500000Z" } });
});

test("int-or-string takes either", () => {
  const spec = { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: "25%" } } };
  expect(conform({ spec: structuredClone(spec) })).toEqual({ spec });
});
