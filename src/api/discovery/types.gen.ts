// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { ObjectReference } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: EndpointConditions;
  readonly hostname?: string;
  readonly targetRef?: ObjectReference;
  readonly deprecatedTopology?: Readonly<Record<string, string>>;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly hints?: EndpointHints;
}

export interface EndpointConditions {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

export interface EndpointHints {
  readonly forZones?: readonly ForZone[];
  readonly forNodes?: readonly ForNode[];
}

export interface EndpointPort {
  readonly name?: string;
  readonly protocol?: string;
  readonly port?: number;
  readonly appProtocol?: string;
}

export interface EndpointSlice extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly endpoints: readonly Endpoint[];
  readonly ports?: readonly EndpointPort[];
  readonly addressType: string;
}

export interface ForNode {
  readonly name?: string;
}

export interface ForZone {
  readonly name: string;
}
