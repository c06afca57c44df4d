import { expect, test } from "vitest";
import type { Service, ServiceStatus } from "../api/serving/types.gen.ts";
import type { Informers } from "../client/informer.ts";
import { explainWaitingHosts } from "./waiting-hosts.ts";

const failed: ServiceStatus = {
  url: "http://app.shop.localhost:8080",
  conditions: [
    { type: "Ready", status: "False", reason: "RevisionFailed", message: "Container failed with: boom\n  at x" },
  ],
};

function explain(status: ServiceStatus, host: string): string | undefined {
  const get = (key: string): Partial<Service> | undefined => (key === "shop/app" ? { status } : undefined);
  return explainWaitingHosts({ of: () => ({ get }) } as unknown as Pick<Informers, "of">)(host);
}

test("the host of a service without a ready revision is explained in one line", () => {
  expect(explain(failed, "app.shop.localhost")).toBe(
    "no revision of service shop/app is ready: Container failed with: boom",
  );
});

test.each([
  ["a host nobody has asked for", failed, "other.shop.localhost"],
  ["a host that only begins like a service", failed, "app.shop.example.com"],
  [
    "a service that has been ready: its own host has a route",
    { ...failed, latestReadyRevisionName: "a" },
    "app.shop.localhost",
  ],
  ["a service that has no address yet", { ...failed, url: "" }, "app.shop.localhost"],
])("%s is not", (_what, status, host) => {
  expect(explain(status, host)).toBeUndefined();
});
