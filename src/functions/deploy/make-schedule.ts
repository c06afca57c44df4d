import { buildImage } from "../../images/build-image.ts";
import type { ImageStore } from "../../images/store.ts";

/** Label on what belongs to a function beside its Service, with the function's name. */
export const functionLabel = "dev.ebb.function";

export interface Schedule {
  readonly name: string;
  readonly namespace: string;
  /** Cron's five fields, or `@hourly` and the like. */
  readonly schedule: string;
  readonly image: string;
  /** Where to send the call, and the host it is for. */
  readonly url: string;
  readonly host: string;
  /** The Service; the schedule goes with it. */
  readonly owner: { readonly uid: string };
}

/** A CronJob whose program calls a function: one POST of a CloudEvent per firing, tried again like any Job. */
export function makeSchedule(wanted: Schedule): Readonly<Record<string, unknown>> {
  const labels = { [functionLabel]: wanted.name };
  const source = `/apis/batch/v1/namespaces/${wanted.namespace}/cronjobs/${wanted.name}`;
  const call = {
    name: "call",
    image: wanted.image,
    args: [wanted.url, wanted.host, source],
    // What Pod Security "restricted" asks for.
    securityContext: {
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
  const owner = { apiVersion: "serving.knative.dev/v1", kind: "Service", name: wanted.name, uid: wanted.owner.uid };
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: wanted.name, namespace: wanted.namespace, labels, ownerReferences: [owner] },
    spec: {
      schedule: wanted.schedule,
      concurrencyPolicy: "Forbid",
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      jobTemplate: {
        metadata: { labels },
        spec: {
          backoffLimit: 2,
          template: {
            metadata: { labels },
            spec: { restartPolicy: "Never", containers: [call] },
          },
        },
      },
    },
  };
}

/** The image of the program that calls; the same bytes for every function. Without a base, Node is the machine's. */
export async function buildCaller(store: ImageStore, base?: string): Promise<string> {
  const name = "dev.local/ebb-system/scheduled-call";
  const digest = await buildImage(store, name, {
    layers: [{ kind: "files", files: [{ path: "app/call.mjs", content: callProgram }] }],
    config: { Entrypoint: ["node", "/app/call.mjs"], WorkingDir: "/app", User: "65532" },
    ...(base === undefined ? {} : { base }),
  });
  return `${name}@${digest}`;
}

/** PingSource's event type, which functions may already know. */
const callProgram = `import { randomUUID } from "node:crypto";
import { request } from "node:http";
const [url, host, source] = process.argv.slice(2);
const headers = {
  host,
  "content-type": "application/json",
  "content-length": "2",
  "ce-specversion": "1.0",
  "ce-type": "dev.knative.sources.ping",
  "ce-source": source,
  "ce-id": randomUUID(),
  "ce-time": new Date().toISOString(),
};
const sent = request(url, { method: "POST", headers }, (answer) => {
  console.log(\`\${host} answered \${answer.statusCode}\`);
  answer.resume();
  answer.once("end", () => process.exit(answer.statusCode < 400 ? 0 : 1));
});
sent.once("error", (error) => {
  console.error(\`\${host} at \${url}: \${error.message}\`);
  process.exit(1);
});
sent.end("{}");
`;
