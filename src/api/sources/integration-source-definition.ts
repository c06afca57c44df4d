/** IntegrationSource as the API server serves it (eventing pkg/apis/sources/v1alpha1/integration_validation.go). */
import { ageAndReady, eventingKindFacts, sinkColumn } from "../eventing/columns.ts";
import { checkDestination, checkSourceSpec, defaultDestination } from "../eventing/destination.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { missingField, problem, toFieldErrors, within, type Problems } from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { IntegrationSourceKind } from "./kinds.ts";
import type { Auth, AWSS3, AWSSQS, IntegrationSource, IntegrationSourceSpec } from "./types-v1alpha1.gen.ts";

export const integrationSourceDefinition: KindDefinition<IntegrationSource> = {
  ...eventingKindFacts,
  kind: IntegrationSourceKind,
  schema: () => schemaOf("sources.v1alpha1.IntegrationSource"),
  columns: [nameColumn, sinkColumn, ...ageAndReady],
  prepare: (source, old, context) => {
    fillStructs(source, "spec.sink");
    const { metadata, spec } = source;
    defaultParts(spec);
    defaultDestination(spec.sink, metadata.namespace);
    stampUser<IntegrationSource>(source, old, { ...context, group: IntegrationSourceKind.group });
  },
  validate: ({ spec }) => {
    const { aws, timer } = spec;
    const parts = { s3: aws?.s3, sqs: aws?.sqs, "ddb-streams": aws?.ddbStreams };
    const count = checkOnePart([timer, ...Object.values(parts)], "source");
    return toFieldErrors([
      ...(count.length > 0 ? count : within("spec", checkAws(parts, aws?.auth))),
      ...within("spec.sink", checkDestination(spec.sink)),
      ...within("spec", checkSourceSpec(spec)),
    ]);
  },
};

/** The values that upstream's CRD fills in. */
function defaultParts({ timer, aws }: Mutable<IntegrationSourceSpec>): void {
  if (timer) {
    timer.period ??= 1000;
    timer.contentType ??= "text/plain";
  }
  defaultS3(aws?.s3);
  defaultSqs(aws?.sqs);
  if (aws?.ddbStreams) {
    aws.ddbStreams.streamIteratorType ??= "FROM_LATEST";
    aws.ddbStreams.delay ??= 500;
  }
}

export function defaultS3(s3: Mutable<AWSS3> | undefined): void {
  if (!s3) return;
  s3.deleteAfterRead ??= true;
  s3.delay ??= 500;
  s3.maxMessagesPerPoll ??= 10;
}

export function defaultSqs(sqs: Mutable<AWSSQS> | undefined): void {
  if (!sqs) return;
  sqs.deleteAfterRead ??= true;
  sqs.host ??= "amazonaws.com";
  sqs.protocol ??= "https";
  sqs.delay ??= 500;
  sqs.maxMessagesPerPoll ??= 1;
}

/** Exactly one of the parts is to be there. */
export function checkOnePart(parts: readonly unknown[], what: "source" | "sink"): Problems {
  const count = parts.filter((part) => part !== undefined).length;
  if (count === 0) return [problem(`at least one ${what} type must be specified`, ["spec"])];
  return count > 1 ? [problem(`only one ${what} type can be set`, ["spec"])] : [];
}

interface AwsPart {
  readonly region?: string;
  readonly arn?: string;
  readonly table?: string;
}

/** Checks the part that is there, of which there is one at most. */
export function checkAws(parts: Readonly<Record<string, AwsPart | undefined>>, auth: Auth | undefined): Problems {
  const only = Object.entries(parts).find(([, part]) => part !== undefined);
  if (!only) return [];
  const [name, part] = only;
  const named = name === "ddb-streams" ? "table" : "arn";
  const hasAuth = Boolean(auth?.secret?.ref?.name || auth?.serviceAccountName);
  return [
    ...(hasAuth ? [] : [missingField("aws.auth.secret.ref.name")]),
    ...(part?.[named] ? [] : [missingField(`aws.${name}.${named}`)]),
    ...(part?.region ? [] : [missingField(`aws.${name}.region`)]),
  ];
}
