import { expect, test } from "vitest";
import { denialText, webhookDenial } from "./webhook-denial.ts";

const at = (field: string, message: string, details?: string) =>
  ({ type: "FieldValueInvalid", field, message, ...(details === undefined ? {} : { details }) }) as const;

test("joins the paths of equal messages and sorts lines by message", () => {
  const errors = [at("spec.b", "must not set"), at("spec.z", "bad", "because"), at("spec.a", "must not set")];
  expect(denialText(errors)).toBe("bad: spec.z\nbecause\nmust not set: spec.a, spec.b");
});

test("answers 400 BadRequest in the name of the group's webhook", () => {
  const error = webhookDenial({ group: "serving.knative.dev", kind: "Service" }, [at("spec.traffic", "sum is off")]);
  expect(error.status).toMatchObject({
    code: 400,
    reason: "BadRequest",
    message:
      'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: sum is off: spec.traffic',
  });
});

test("speaks of config maps with the config webhook's name", () => {
  const error = webhookDenial({ group: "", kind: "ConfigMap" }, [at("", "failed to parse")]);
  expect(error.message).toMatch(
    /^admission webhook "config\.webhook\.serving\.knative\.dev" denied .*: failed to parse$/,
  );
});
