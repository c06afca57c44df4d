/** JobSink and IntegrationSink as the API server serves them (eventing pkg/apis/sinks/v1alpha1). */
import { jobDefinition } from "../batch/job.ts";
import type { Job } from "../batch/types.gen.ts";
import { childName } from "../serving/child-name.ts";
import type { Container } from "../core/types.gen.ts";
import { addressColumn, ageAndReady, eventingKindFacts } from "../eventing/columns.ts";
import { nameColumn } from "../meta/columns.ts";
import type { KindDefinition, WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { fillStructs } from "../serving/go-structs.ts";
import { invalidValue, missingOneOf, problem, toFieldErrors, within, type Problems } from "../serving/problems.ts";
import { stampUser } from "../serving/user-info.ts";
import { schemaOf } from "../schemas.ts";
import { checkAws, checkOnePart, defaultS3, defaultSqs } from "../sources/integration-source-definition.ts";
import { IntegrationSinkKind, JobSinkKind } from "./kinds.ts";
import type { IntegrationSink, JobSink } from "./types.gen.ts";

const executionMode = "K_EXECUTION_MODE";

export const jobSinkDefinition: KindDefinition<JobSink> = {
  ...eventingKindFacts,
  kind: JobSinkKind,
  schema: () => schemaOf("sinks.v1alpha1.JobSink"),
  columns: [nameColumn, addressColumn, ...ageAndReady],
  prepare: (sink, old, context) => {
    fillStructs(sink, "spec");
    const pod = sink.spec.job?.spec?.template?.spec;
    for (const container of [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]) tellMode(container);
    stampUser<JobSink>(sink, old, { ...context, group: JobSinkKind.group });
  },
  validate: ({ metadata, spec }, _old, context) => {
    if (!spec.job) return toFieldErrors([missingOneOf("spec.job")]);
    return toFieldErrors(within("spec", checkJob(spec.job, metadata.name, metadata.namespace, context)));
  },
};

function tellMode(container: Mutable<Container>): void {
  if (container.env?.some(({ name }) => name === executionMode)) return;
  container.env = [...(container.env ?? []), { name: executionMode, value: "batch" }];
}

/** What the API server would say to the Job that an event makes. */
function checkJob(job: Job, sink: string, namespace: string | undefined, context: WriteContext): Problems {
  const copy = structuredClone(job) as Mutable<Job>;
  const name = childName(`${sink}-`, "0".repeat(32));
  copy.metadata = { ...copy.metadata, name, uid: name, ...(namespace === undefined ? {} : { namespace }) };
  copy.spec ??= { template: { spec: { containers: [] } } };
  jobDefinition.applyDefaults?.(copy, context);
  jobDefinition.prepare?.(copy, undefined, context);
  const errors = jobDefinition.validate?.(copy as Job, undefined, context) ?? [];
  if (errors.length === 0) return [];
  const told = errors.map(({ field, message }) => `${field}: ${message}`);
  const text = told.length === 1 ? (told[0] ?? "") : `[${told.join(", ")}]`;
  return [problem(`Job.batch ${JSON.stringify(name)} is invalid: ${text}`, ["job"])];
}

const levels: ReadonlySet<string> = new Set(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"]);

export const integrationSinkDefinition: KindDefinition<IntegrationSink> = {
  ...eventingKindFacts,
  kind: IntegrationSinkKind,
  schema: () => schemaOf("sinks.v1alpha1.IntegrationSink"),
  columns: [nameColumn, addressColumn, ...ageAndReady],
  prepare: (sink, old, context) => {
    fillStructs(sink, "spec");
    const { aws, log } = sink.spec;
    defaultS3(aws?.s3);
    defaultSqs(aws?.sqs);
    if (log) {
      log.loggerName ??= "log-sink";
      log.level ??= "INFO";
      log.showBody ??= true;
      log.showBodyType ??= true;
      log.showExchangePattern ??= true;
      log.showCachedStreams ??= true;
    }
    stampUser<IntegrationSink>(sink, old, { ...context, group: IntegrationSinkKind.group });
  },
  validate: ({ spec }) => {
    const { aws, log } = spec;
    const parts = { s3: aws?.s3, sqs: aws?.sqs, sns: aws?.sns };
    const count = checkOnePart([log, ...Object.values(parts)], "sink");
    return toFieldErrors([
      ...(count.length > 0 ? count : within("spec", checkAws(parts, aws?.auth))),
      ...(log?.level && !levels.has(log.level)
        ? [invalidValue(log.level, "spec.log.level", "use TRACE, DEBUG, INFO, WARN, ERROR or OFF")]
        : []),
    ]);
  },
};
