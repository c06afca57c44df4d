import { kind } from "../meta/kind.ts";
import type { EndpointSlice } from "./types.gen.ts";

export const EndpointSliceKind = kind<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
});
