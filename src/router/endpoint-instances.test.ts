import { expect, test } from "vitest";
import type { Endpoint, EndpointSlice } from "../api/discovery/types.gen.ts";
import type { Change, Informer, Informers } from "../client/informer.ts";
import { followEndpoints, instancesOf } from "./endpoint-instances.ts";
import type { InstanceEvent } from "./instance.ts";

function slice(name: string, endpoints: readonly Endpoint[], port = "http", type = "Private"): EndpointSlice {
  const labels = {
    "serving.knative.dev/revision": "hello-00001",
    "networking.internal.knative.dev/serviceType": type,
  };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: "ns", labels },
    addressType: "IPv4",
    ports: [{ name: port, port: 8080 }],
    endpoints,
  };
}

const pod = (uid: string, conditions: Endpoint["conditions"] = { ready: true }): Endpoint => ({
  addresses: [`10.0.0.${uid.length}`],
  conditions,
  targetRef: { kind: "Pod", uid },
});

test("endpoints of a Revision's private Service are instances, with their protocol and state", () => {
  const endpoints = [
    pod("a"),
    pod("bb", { ready: false, serving: true, terminating: true }),
    pod("ccc", { ready: false, serving: false, terminating: false }),
    pod("dddd", {}),
  ];
  const found = instancesOf(slice("s", endpoints, "http2"));
  expect(found.map(({ id, type }) => [id, type])).toEqual([
    ["a", "ready"],
    ["bb", "draining"],
    ["ccc", "unready"],
    ["dddd", "ready"],
  ]);
  expect(found[0]).toMatchObject({
    revision: "ns/hello-00001",
    address: { host: "10.0.0.1", port: 8080 },
    protocol: "h2c",
  });
  expect(instancesOf(slice("s", endpoints, "http", "Public"))).toEqual([]);
});

test("an endpoint that moves between slices stays, one in none is gone", () => {
  let emit: (change: Change<EndpointSlice>) => void = () => undefined;
  const informer = {
    onChange: (handler: typeof emit) => {
      emit = handler;
      return () => undefined;
    },
  } as unknown as Informer<EndpointSlice>;
  const informers = { of: () => informer } as unknown as Informers;
  const seen: InstanceEvent[] = [];
  followEndpoints(informers, (event) => seen.push(event));
  const events = (change: Change<EndpointSlice>): string[] => {
    seen.length = 0;
    emit(change);
    return seen.map(({ type, id }) => `${type} ${id}`);
  };
  expect(events({ type: "added", object: slice("one", [pod("a"), pod("bb")]) })).toEqual(["ready a", "ready bb"]);
  expect(events({ type: "added", object: slice("two", [pod("a")]) })).toEqual(["ready a"]);
  expect(events({ type: "modified", object: slice("one", [pod("bb")]) })).toEqual(["ready bb"]);
  expect(events({ type: "deleted", object: slice("one", []) })).toEqual(["gone bb"]);
  expect(events({ type: "deleted", object: slice("two", [pod("a")]) })).toEqual(["gone a"]);
});
