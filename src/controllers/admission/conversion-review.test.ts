import { expect, test } from "vitest";
import { builtinDefinitions } from "../../api/definitions.ts";
import { answerConversion } from "./conversion-review.ts";
import { versionConverter } from "./version-converter.ts";

const convert = versionConverter(builtinDefinitions);
const group = "eventing.knative.dev";
const old = {
  apiVersion: `${group}/v1beta2`,
  kind: "EventType",
  metadata: { name: "x", namespace: "n", uid: "u" },
  spec: { type: "t", source: "/s", reference: { apiVersion: `${group}/v1`, kind: "Broker", name: "b" } },
};
const ask = (desiredAPIVersion: string, objects: readonly object[]) =>
  answerConversion(
    JSON.stringify({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "ConversionReview",
      request: { uid: "1", desiredAPIVersion, objects },
    }),
    convert,
  );

test("objects are made those of the version that is asked for, and back, in their order", () => {
  const there = ask(`${group}/v1beta3`, [old, { ...old, metadata: { ...old.metadata, name: "y" } }]) as {
    readonly response: { readonly convertedObjects: readonly object[] };
  };
  expect(there).toMatchObject({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "ConversionReview",
    response: {
      uid: "1",
      result: { status: "Success" },
      convertedObjects: [
        {
          apiVersion: `${group}/v1beta3`,
          metadata: old.metadata,
          spec: {
            reference: old.spec.reference,
            attributes: expect.arrayContaining([{ name: "type", required: true, value: "t" }]),
          },
        },
        { metadata: { name: "y" } },
      ],
    },
  });
  expect(ask(`${group}/v1beta2`, there.response.convertedObjects.slice(0, 1))).toMatchObject({
    response: { convertedObjects: [old] },
  });
  // By way of the one that is stored.
  expect(ask(`${group}/v1beta1`, [old])).toMatchObject({
    response: { convertedObjects: [{ ...old, apiVersion: `${group}/v1beta1` }] },
  });
});

test("a version that is not known fails, and nothing is converted", () => {
  const { response } = ask(`${group}/v9`, [old]) as { readonly response: object };
  expect(response).toEqual({
    uid: "1",
    result: { status: "Failure", message: `there is no EventType in ${group}/v9` },
  });
});

test.each([
  ["not JSON", "{", "no JSON"],
  ["something else", '{"kind":"AdmissionReview"}', "must be a ConversionReview"],
  ["nothing to convert", '{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1"}', "needs request.uid"],
])("%s is refused", (_, text, reason) => {
  expect(() => answerConversion(text, convert)).toThrow(reason);
});
