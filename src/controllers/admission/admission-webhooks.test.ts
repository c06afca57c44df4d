import { expect, test } from "vitest";
import { builtinDefinitions } from "../../api/definitions.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { AdmissionRequest } from "./admission-review.ts";
import { createAdmissionWebhooks } from "./admission-webhooks.ts";

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => log,
  enabled: () => false,
};
const webhooks = createAdmissionWebhooks({
  definitions: builtinDefinitions,
  configMap: () => ({}),
  nowMs: () => 0,
  log,
});
const create = (apiVersion: string, kind: string, spec: object): AdmissionRequest => {
  const [group = "", version = ""] = apiVersion.split("/");
  return {
    uid: "1",
    kind: { group, version, kind },
    operation: "CREATE",
    namespace: "n",
    userInfo: { username: "u" },
    object: { apiVersion, kind, metadata: { name: "x", namespace: "n" }, spec } as unknown as KubeObject,
  };
};

test("a kind with older versions is checked, whichever version comes", () => {
  expect(webhooks.validate(create("eventing.knative.dev/v1beta3", "EventType", {}))).toMatchObject({
    allowed: false,
    status: { message: expect.stringContaining("missing field(s)") },
  });
  const sink = { uri: "http://x" };
  for (const version of ["v1", "v1beta2"])
    expect(
      webhooks.validate(create(`sources.knative.dev/${version}`, "PingSource", { schedule: "never", sink })),
    ).toMatchObject({ allowed: false, status: { message: expect.stringContaining("spec.schedule") } });
});

test("a kind with older versions gets its defaults", () => {
  const verdict = webhooks.defaults(create("eventing.knative.dev/v1beta3", "EventType", { reference: { name: "b" } }));
  expect(verdict).toMatchObject({
    allowed: true,
    patch: expect.arrayContaining([{ op: "add", path: "/spec/reference/namespace", value: "n" }]),
  });
});
