import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { RequestUser } from "../../api/meta/definition.ts";
import type { Kind } from "../../api/meta/kind.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Registry } from "../registry/registry.ts";
import type { Served } from "../registry/catalog.ts";
import type { RunWrite } from "../webhooks/webhook-admission.ts";
import type { ResourcePath } from "./path.ts";
import type { Query } from "./query.ts";

/** One authenticated and authorized request for a resource. */
export interface ResourceCall {
  readonly request: IncomingMessage;
  readonly path: ResourcePath;
  readonly query: Query;
  readonly user: RequestUser;
}

/**
 * A subresource somebody else serves: logs, exec, port-forward, proxy. Called after authentication and authorization;
 * the object named by the path may not exist. Thrown ApiErrors are answered as Status while nothing has been sent.
 */
export interface SubresourceHandler {
  readonly group: string;
  /** Of a group and version that nothing is stored of; of others any version is served. */
  readonly version?: string;
  readonly plural: string;
  readonly subresource: string;
  /** Plain requests. */
  handle(call: ResourceCall, response: ServerResponse): Promise<void>;
  /** Requests with `Connection: Upgrade`; the handler owns the socket from here on. */
  upgrade?(call: ResourceCall, socket: Duplex, head: Buffer): Promise<void>;
}

/** A request for a resource that is computed, not stored. */
export interface VirtualCall {
  readonly verb: "create" | "get" | "list";
  readonly namespace?: string;
  readonly name?: string;
  /** Decoded body of a create. */
  readonly body?: Record<string, unknown>;
  /** What follows a name, for a resource that claims such paths. */
  readonly subresource?: string;
  /** As the path has it. */
  readonly plural: string;
  readonly query: Query;
  readonly user: RequestUser;
}

/** A resource without storage: access reviews, metrics. Listed in discovery beside the stored ones. */
export interface VirtualResource {
  readonly kind: Kind;
  readonly verbs: readonly ("create" | "get" | "list")[];
  /** Reads of whole paths of its group and version, whatever resource they name: metrics, whose names are the resources. */
  readonly claimsReads?: boolean;
  /** Answers with the object or list; throws ApiError. */
  serve(call: VirtualCall): Promise<object> | object;
}

/** What the HTTP side of a server works with. */
export interface HttpDeps {
  readonly registry: Registry;
  readonly runWrite: RunWrite;
  readonly log: Logger;
  readonly virtual: readonly VirtualResource[];
  readonly subresources: readonly SubresourceHandler[];
}

/** A call for a stored resource, resolved. */
export interface StoredCall extends ResourceCall {
  readonly served: Served;
}
