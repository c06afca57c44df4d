/**
 * JobSink: a Job per event (eventing cmd/jobsink). The event lies in a Secret of the Job's name, mounted as a file. The
 * name is made of source and id, so an event that comes again makes no second Job.
 */
import { createHash } from "node:crypto";
import { JobKind } from "../../api/batch/kinds.ts";
import type { Job } from "../../api/batch/types.gen.ts";
import { SecretKind } from "../../api/core/kinds.ts";
import type { Container, PodSpec, Secret, Volume } from "../../api/core/types.gen.ts";
import { isAlreadyExists, isNotFound } from "../../api/meta/errors.ts";
import { apiVersionOf } from "../../api/meta/kind.ts";
import type { Draft } from "../../api/meta/object.ts";
import type { OwnerReference } from "../../api/meta/types.gen.ts";
import { childName } from "../../api/serving/child-name.ts";
import { JobSinkKind } from "../../api/sinks/kinds.ts";
import { jobSinkLabels } from "../../api/sinks/labels.ts";
import type { Client } from "../../client/client.ts";
import type { Reply } from "../ingress/answer.ts";
import { toJsonText } from "../wire/format-stored.ts";
import type { StoredEvent } from "../wire/stored-event.ts";
import type { OpenSink } from "./sink-action.ts";

const volumeName = "jobsink-event";
const defaultMount = "/etc/jobsink-event";
const fileName = "event";

export interface JobSinkDeps {
  readonly client: Client;
}

export function openJobSink(of: Pick<OpenSink, "key" | "uid">, template: Job, { client }: JobSinkDeps): OpenSink {
  const [, namespace = "", sink = ""] = of.key.split("/");
  return {
    ...of,
    batches: true,
    async take(event) {
      const name = jobName(sink, event);
      const labels = { [jobSinkLabels.name]: sink, [jobSinkLabels.id]: name, [jobSinkLabels.made]: "true" };
      const owner = ownerOf(sink, of.uid);
      const accepted: Reply = { status: 202, headers: { location: locationOf(namespace, sink, event) } };
      if (await exists(client, namespace, name)) return accepted;
      // First the event: a Job's pod must find it.
      const secret = await createOrGet(client, makeSecret({ name, namespace, labels, owner }, event));
      const job = makeJob(template, { name, namespace, labels, owner });
      try {
        const made = await client.create(JobKind, job);
        await giveToJob(client, secret, made);
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      return accepted;
    },
  };
}

const jobName = (sink: string, event: StoredEvent): string =>
  jobNameOf(sink, String(event.attributes["source"]), String(event.attributes["id"]));

function jobNameOf(sink: string, source: string, id: string): string {
  const hash = createHash("md5").update(source).update(id).digest("hex");
  return childName(`${sink}-`, hash);
}

const locationOf = (namespace: string, sink: string, { attributes }: StoredEvent): string => {
  const [source, id] = [attributes["source"], attributes["id"]].map((value) => encodeURIComponent(String(value)));
  return `/namespaces/${namespace}/name/${sink}/sources/${source}/ids/${id}`;
};

/** GET of a Location: 200 Complete, 400 Failed, 202 while it runs, 404 when there is no such Job. */
export function lookAtJob(client: Client, path: readonly string[]): Promise<Reply> | undefined {
  const [namespaces, namespace, names, sink, sources, source, ids, id, ...rest] = path;
  if (namespaces !== "namespaces" || names !== "name" || sources !== "sources" || ids !== "ids") return undefined;
  if (!namespace || !sink || !source || !id || rest.length > 0) return undefined;
  return fateOf(client, namespace, jobNameOf(sink, source, id));
}

async function fateOf(client: Client, namespace: string, name: string): Promise<Reply> {
  try {
    const { status } = await client.get(JobKind, { namespace, name });
    const holds = (type: string): boolean =>
      status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;
    if (holds("Failed")) return { status: 400, headers: { reason: "Failed" } };
    if (holds("Complete")) return { status: 200, headers: { reason: "Complete" } };
    return { status: 202 };
  } catch (error) {
    if (isNotFound(error)) return { status: 404, message: `there is no Job for this event` };
    throw error;
  }
}

interface Made {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: OwnerReference;
}

const ownerOf = (name: string, uid: string): OwnerReference => ({
  apiVersion: apiVersionOf(JobSinkKind),
  kind: JobSinkKind.kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** Of the sink at first, so that it goes with it when ebb ends before the Job is made. */
function makeSecret({ owner, ...metadata }: Made, event: StoredEvent): Draft<Secret> {
  const data = { [fileName]: Buffer.from(toJsonText(event)).toString("base64") };
  return { metadata: { ...metadata, ownerReferences: [owner] }, type: "Opaque", immutable: true, data };
}

async function createOrGet(client: Client, draft: Draft<Secret>): Promise<Secret> {
  try {
    return await client.create(SecretKind, draft);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { name = "", namespace = "" } = draft.metadata;
    return client.get(SecretKind, { name, namespace });
  }
}

/** The event goes with its Job. */
async function giveToJob(client: Client, { metadata }: Secret, job: Job): Promise<void> {
  const owner = {
    apiVersion: apiVersionOf(JobKind),
    kind: JobKind.kind,
    name: job.metadata?.name ?? "",
    uid: job.metadata?.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
  const { name, namespace = "" } = metadata;
  await client.patch(
    SecretKind,
    { name, namespace },
    { type: "merge", body: { metadata: { ownerReferences: [owner] } } },
  );
}

function makeJob(template: Job, { name, namespace, labels, owner }: Made): Draft<Job> {
  const { spec } = template;
  const pod = spec?.template.spec ?? { containers: [] };
  return {
    metadata: {
      ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
      name,
      namespace,
      labels: { ...template.metadata?.labels, ...labels },
      ownerReferences: [owner],
    },
    spec: { ...spec, template: { ...spec?.template, spec: withEvent(pod, name) } },
  } as Draft<Job>;
}

/** The event mounted in every container, but where the template mounts it itself. */
export function withEvent(pod: PodSpec, secretName: string): PodSpec {
  const volume: Volume = { name: volumeName, secret: { secretName } };
  const others = (pod.volumes ?? []).filter(({ name }) => name !== volumeName);
  return {
    ...pod,
    volumes: [...others, volume],
    containers: pod.containers.map(tell),
    ...(pod.initContainers ? { initContainers: pod.initContainers.map(tell) } : {}),
  };
}

function tell(container: Container): Container {
  const mounts = container.volumeMounts ?? [];
  const own = mounts.find(({ name }) => name === volumeName);
  const env = (container.env ?? []).filter(({ name }) => name !== "K_EVENT_PATH");
  return {
    ...container,
    env: [...env, { name: "K_EVENT_PATH", value: own?.mountPath ?? defaultMount }],
    volumeMounts: own ? mounts : [...mounts, { name: volumeName, mountPath: defaultMount, readOnly: true }],
  };
}

async function exists(client: Client, namespace: string, name: string): Promise<boolean> {
  try {
    await client.get(JobKind, { namespace, name });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
