/** Printer columns and facts that the kinds of Eventing share (eventing config/core/resources). */
import { ageColumn } from "../meta/columns.ts";
import type { Column } from "../meta/definition.ts";
import type { KubeObject } from "../meta/object.ts";
import { column, readyColumns, servingKindFacts } from "../serving/columns.ts";

export const eventingKindFacts = servingKindFacts;

/** Age before Ready, as upstream's definitions have it. */
export const ageAndReady: readonly Column[] = [ageColumn, ...(readyColumns as readonly Column[])];

interface Addressed extends KubeObject {
  readonly status?: { readonly address?: { readonly url?: string } };
}
export const addressColumn: Column<Addressed> = column(
  "URL",
  "Where it takes events.",
  ".status.address.url",
  ({ status }) => status?.address?.url ?? "",
);

interface WithSink extends KubeObject {
  readonly status?: { readonly sinkUri?: string };
}
export const sinkColumn: Column<WithSink> = column(
  "Sink",
  "Where events go.",
  ".status.sinkUri",
  ({ status }) => status?.sinkUri ?? "",
);
