import type { RequestUser } from "../../api/meta/definition.ts";
import type { KubeObject, Mutable } from "../../api/meta/object.ts";
import type { Subresource } from "../../api/meta/requests.ts";
import type { Answers } from "../webhooks/webhook-admission.ts";
import type { Served } from "./catalog.ts";

/** An object on its way in: decoded, owned by the pipeline, of no checked type yet. */
export type Incoming = Mutable<KubeObject> & Record<string, unknown>;

/** Who asks, and how a write is to be treated. */
export interface Caller {
  readonly user: RequestUser;
  /** Name in managedFields. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: "Ignore" | "Warn" | "Strict";
  /** Collects `Warning` headers. */
  readonly warn: (text: string) => void;
  /** Only for apply: take conflicting fields over. */
  readonly force?: boolean;
  /** Answers of webhooks had so far; without, none are asked. */
  readonly webhooks?: Answers;
}

/** Names what a request is about. */
export interface Target {
  readonly served: Served;
  /** Absent for cluster-scoped kinds and for lists over all namespaces. */
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: Subresource;
}
