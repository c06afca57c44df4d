// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { ObjectReference } from "../core/types.gen.ts";
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface Endpoint {
  /** Addresses of the endpoint; clients take any. */
  readonly addresses: readonly string[];
  /** Whether it takes traffic. */
  readonly conditions?: EndpointConditions;
  /** Its host name. */
  readonly hostname?: string;
  /** The object behind it, usually a pod. */
  readonly targetRef?: ObjectReference;
  readonly deprecatedTopology?: Readonly<Record<string, string>>;
  /** The node it is on. */
  readonly nodeName?: string;
  /** The zone it is in. */
  readonly zone?: string;
  readonly hints?: EndpointHints;
}

export interface EndpointConditions {
  /** Whether it should get traffic. */
  readonly ready?: boolean;
  /** Whether it can serve, even while it ends. */
  readonly serving?: boolean;
  /** Whether it is on its way out. */
  readonly terminating?: boolean;
}

export interface EndpointHints {
  readonly forZones?: readonly ForZone[];
  readonly forNodes?: readonly ForNode[];
}

export interface EndpointPort {
  /** Name of the port, as the service calls it. */
  readonly name?: string;
  /** TCP if not given. */
  readonly protocol?: string;
  /** Number of the port. */
  readonly port?: number;
  /** Protocol spoken on the port. */
  readonly appProtocol?: string;
}

export interface EndpointSlice extends TypeMeta {
  /** The label kubernetes.io/service-name says which service it is of. */
  readonly metadata: ObjectMeta;
  /** The addresses and how they are. At most 1000. */
  readonly endpoints: readonly Endpoint[];
  /** Ports of every endpoint. */
  readonly ports?: readonly EndpointPort[];
  /** What the addresses are. Cannot be changed. */
  readonly addressType: string;
}

export interface ForNode {
  readonly name?: string;
}

export interface ForZone {
  readonly name: string;
}
