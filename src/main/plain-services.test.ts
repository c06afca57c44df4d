import { expect, test } from "vitest";
import type { Service } from "../api/core/types.gen.ts";
import { isPlain } from "./plain-services.ts";

const service = (spec: object, metadata: object = {}): Service =>
  ({ apiVersion: "v1", kind: "Service", metadata: { name: "s", namespace: "n", ...metadata }, spec }) as Service;
const ports = [{ port: 80 }];

test.each<[string, boolean, Service]>([
  ["one with a selector", true, service({ selector: { a: "b" }, ports })],
  ["one with endpoints of its own", true, service({ ports })],
  ["a name for something elsewhere", false, service({ type: "ExternalName", externalName: "x.example", ports })],
  ["one without TCP", false, service({ ports: [{ port: 53, protocol: "UDP" }] })],
  ["a Revision's", false, service({ ports }, { labels: { "serving.knative.dev/revision": "r" } })],
  ["the API server's", false, service({ ports }, { name: "kubernetes", namespace: "default" })],
])("%s is plain: %s", (_what, is, object) => {
  expect(isPlain(object)).toBe(is);
});
