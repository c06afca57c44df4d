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

interface Annotated extends KubeObject {
  readonly status?: { readonly annotations?: Readonly<Record<string, string>> };
}
/** A fact that is kept in the status's annotations; empty where there is none. */
export const annotationColumn = (name: string, description: string, key: string): Column<Annotated> =>
  column(
    name,
    description,
    `.status.annotations.${key.replaceAll(".", "\\.")}`,
    ({ status }) => status?.annotations?.[key] ?? "",
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
