/** Printer columns that Serving's kinds share (config/core/300-resources). */
import type { Column } from "../meta/definition.ts";
import type { KubeObject } from "../meta/object.ts";
import type { Condition } from "./types.gen.ts";

interface Conditioned extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** What kinds of this group have in common. */
export const servingKindFacts = {
  statusSubresource: true,
  generation: "spec",
  denial: "webhook",
  unconditionalUpdate: false,
} as const;

const readyOf = (object: Conditioned): Condition | undefined =>
  object.status?.conditions?.find((condition) => condition.type === "Ready");

/** A text column; `jsonPath` says the same as `cell`, for the kind's CustomResourceDefinition. */
export const column = <T extends KubeObject>(
  name: string,
  description: string,
  jsonPath: string,
  cell: Column<T>["cell"],
): Column<T> => ({
  name,
  type: "string",
  description,
  jsonPath,
  cell,
});

const readyPath = (field: string): string => `.status.conditions[?(@.type=='Ready')].${field}`;

export const readyColumns: readonly Column<Conditioned>[] = [
  column(
    "Ready",
    "Whether the object does what its spec says.",
    readyPath("status"),
    (object) => readyOf(object)?.status ?? "",
  ),
  column("Reason", "Why it does not.", readyPath("reason"), (object) => readyOf(object)?.reason ?? ""),
];

interface Addressed extends KubeObject {
  readonly status?: { readonly url?: string };
}
export const urlColumn: Column<Addressed> = column(
  "URL",
  "Where it answers.",
  ".status.url",
  (object) => object.status?.url ?? "",
);

interface WithLatest extends KubeObject {
  readonly status?: { readonly latestCreatedRevisionName?: string; readonly latestReadyRevisionName?: string };
}
export const latestColumns: readonly Column<WithLatest>[] = [
  column(
    "LatestCreated",
    "The newest Revision.",
    ".status.latestCreatedRevisionName",
    (object) => object.status?.latestCreatedRevisionName ?? "",
  ),
  column(
    "LatestReady",
    "The newest Revision that is ready.",
    ".status.latestReadyRevisionName",
    (object) => object.status?.latestReadyRevisionName ?? "",
  ),
];
