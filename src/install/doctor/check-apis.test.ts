import { expect, test } from "vitest";
import type { Pod } from "../../api/core/types.gen.ts";
import { podsInWords } from "./check-apis.ts";

const pod = (namespace: string, name: string, service?: string): Pod => ({
  metadata: {
    namespace,
    name,
    ...(service === undefined ? {} : { labels: { "serving.knative.dev/service": service } }),
  },
  spec: { containers: [] },
});

test("what went with a node is counted by service, and ebb's own pods are named", () => {
  expect(
    podsInWords([
      pod("a", "x-1", "x"),
      pod("a", "x-2", "x"),
      pod("b", "x-1", "x"),
      pod("ebb-system", "ebb-router-1"),
      pod("ebb-system", "ebb-controller-1"),
      pod("a", "waiting"),
    ]),
  ).toBe("3 instances of 2 services, ebb-controller-1, ebb-router-1 are there");
  expect(podsInWords([])).toBe("0 instances of 0 services are there");
});
