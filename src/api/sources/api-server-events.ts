/** What events of ApiServerSources are called (eventing pkg/adapter/apiserver/events), and what one watches. */
import type { Kind } from "../meta/kind.ts";
import type { LabelSelector } from "../meta/types.gen.ts";
import type { ApiServerSourceSpec } from "./types.gen.ts";

/** What events say they come from. */
export const apiServerUrl = "https://kubernetes.default.svc";

/** Whatever happens to an object, in the words of the API server and in those of events. */
export const apiServerVerbs = { ADDED: "add", MODIFIED: "update", DELETED: "delete" } as const;

export const apiServerEventType = (
  { mode }: Pick<ApiServerSourceSpec, "mode">,
  verb: (typeof apiServerVerbs)[keyof typeof apiServerVerbs],
): string => `dev.knative.apiserver.${mode === "Resource" ? "resource" : "ref"}.${verb}`;

/** What the reader of a source is told: its kinds as they are served, its namespaces by their names. */
export interface ApiServerSettings extends Pick<ApiServerSourceSpec, "mode" | "owner" | "filters"> {
  readonly serviceAccountName: string;
  readonly watched: readonly WatchedKind[];
  /** Absent: all. */
  readonly namespaces?: readonly string[];
}

export interface WatchedKind {
  readonly kind: Kind;
  readonly selector?: LabelSelector;
}

/** In what a reader says of a missing permission, and nowhere else. */
export const lacksPermission = " cannot get, list, watch ";
