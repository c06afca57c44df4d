import { join } from "node:path";
import { SecretKind } from "../../api/core/kinds.ts";
import { CronJobKind } from "../../api/batch/kinds.ts";
import { checkCronSchedule } from "../../api/batch/cron-schedule.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { Service } from "../../api/serving/types.gen.ts";
import type { HttpClient } from "../../client/http-client.ts";
import type { FunctionSettings } from "../../functions/deploy/make-function-service.ts";
import type { ImageStore } from "../../images/store.ts";
import { baseFlags } from "../base-images.ts";
import { buildAll, findSources, sizeWords, sourceFlags, type Built } from "../build-source.ts";
import {
  CommandError,
  durationOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import { connect } from "../connect.ts";
import { functionFlags, readFunctionFlags } from "../function-flags.ts";
import { pushFlags } from "../push-built.ts";
import { createProgress, type Progress } from "../progress.ts";
import { rolledBack } from "../rolled-back.ts";
import { dataDirOf, jsonOption, namespaceOption, runningOf, targetOptions } from "../target.ts";
import { waitForReady } from "../wait-for-ready.ts";
import { waitForTraffic } from "../wait-for-traffic.ts";

export const deploy: Command = {
  name: "deploy",
  summary: "deploy functions from their source",
  description:
    "Builds the function at a path (a source file, or a folder with one) into an image and applies it as a Knative Service. A folder of several functions deploys all of them: all are built before the first is applied. Returns when they are ready to answer, or says why they are not, with the last words of the program; the revision before goes on serving then. Settings of func.yaml count where no flag says otherwise.",
  args: [{ name: "[path...]", summary: "files or folders (default: the current folder)" }],
  options: [
    { flags: "--name <name>", summary: "name of the Service (default: of the folder or file)" },
    namespaceOption,
    ...functionFlags,
    { flags: "--schedule <cron>", summary: 'call it at these times too, such as "*/5 * * * *" or @hourly' },
    ...sourceFlags,
    ...baseFlags,
    ...pushFlags,
    { flags: "--wait <duration>", summary: "how long it may take to become ready", default: "60s" },
    { flags: "--dry-run", summary: "print the manifests as YAML (--json: as JSON) and change nothing" },
    jsonOption,
    ...targetOptions,
  ],
  examples: [
    "ebb deploy examples/hello",
    "ebb deploy api.ts --name api --env GREETING=hi --max 5",
    "ebb deploy . --secret TOKEN=github:token --memory 256Mi",
    "ebb deploy report.py --schedule '0 6 * * 1-5'",
    "ebb deploy functions --dry-run",
  ],
  run: async (context, input) => {
    const progress = createProgress({
      terminal: context.stdout === process.stdout && process.stderr.isTTY ? process.stderr : undefined,
      note: context.note,
      color: context.env["NO_COLOR"] === undefined,
    });
    try {
      await run(context, input, progress);
    } finally {
      progress.end();
    }
  },
};

async function run(context: CommandContext, input: CommandInput, progress: Progress): Promise<void> {
  const started = performance.now();
  const flags = readFunctionFlags(input);
  const schedule = scheduleOf(input);
  const waitMs = durationOption(input, "wait") ?? 60_000;
  const dryRun = input.options["dryRun"] === true;
  if (!dryRun && textOption(input, "kubeconfig") === undefined) runningOf(context, input);
  const { functions } = await findSources(context, input);
  if (schedule !== undefined && functions.length > 1)
    throw new CommandError(`--schedule is for one function; there are ${functions.length}`, { exitCode: 2 });
  // The connection is made while the compiler works; the first call takes what it costs. Its failure is told by the next.
  const client = dryRun ? undefined : connect(context, input);
  client?.then((api) => api.list(KnativeServiceKind, { namespace: "default", limit: 1 })).catch(() => undefined);
  const { openImageStore } = await import("../../images/store.ts");
  const store = openImageStore(join(dataDirOf(context, input), "images"));
  const namespace = textOption(input, "namespace") ?? "default";
  const attested = textOption(input, "push") !== undefined;
  const built = await buildAll(context, input, { found: functions, store, progress, namespace, attested });
  if (client && textOption(input, "kubeconfig") !== undefined && textOption(input, "push") === undefined)
    progress.line("warning: only this machine has the image; --push copies it to a registry that a cluster can reach");
  const { makeFunctionService, mergeSettings, secretsOf, settingsOfModel } =
    await import("../../functions/deploy/make-function-service.ts");
  const wanted = built.map((b): Wanted => {
    const said = mergeSettings(b.source.settings ?? {}, flags);
    const settings = mergeSettings(settingsOfModel(b.model, said), said);
    const to = { name: b.source.name, namespace: b.source.settings?.namespace ?? namespace };
    return { ...to, built: b, settings, manifest: makeFunctionService({ ...settings, ...to, image: b.image }) };
  });
  if (!client) {
    await printManifests(context, input, wanted);
    return;
  }
  const api = await client;
  for (const one of wanted) await requireSecrets(api, one, secretsOf(one.settings));
  const done = await Promise.all(
    wanted.map(async (one): Promise<Deployed> => {
      progress.stage(`rolling out ${one.name}: ${sizeWords(one.built.layers)}`);
      const ready = await apply(api, one, { signal: context.signal, waitMs, tell: (line) => progress.stage(line) });
      await applySchedule(context, input, { api, store, service: ready, schedule });
      return { ...one, ready };
    }),
  );
  progress.end();
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  for (const one of done) report(context, input, one, seconds);
}

interface Wanted {
  readonly name: string;
  readonly namespace: string;
  readonly built: Built;
  readonly settings: FunctionSettings;
  readonly manifest: Readonly<Record<string, unknown>>;
}

interface Deployed extends Wanted {
  readonly ready: Service;
}

async function apply(api: HttpClient, one: Wanted, waiting: Parameters<typeof waitForReady>[2]): Promise<Service> {
  const key = { namespace: one.namespace, name: one.name };
  const patch = { type: "apply", body: one.manifest } as const;
  const applied = await api.patch(KnativeServiceKind, key, patch, { fieldManager: "ebb-deploy", force: true });
  const ready = await waitForReady(api, applied, waiting);
  if (ready.metadata.annotations?.[rolledBack.annotation] === undefined) return ready;
  // Only now: until the new revision is ready, the newest one would be that which was rolled back from.
  const latest = await api.patch(KnativeServiceKind, key, { type: "merge", body: rolledBack.undone });
  return await waitForTraffic(api, latest, waiting);
}

async function printManifests(context: CommandContext, input: CommandInput, wanted: readonly Wanted[]): Promise<void> {
  const manifests = wanted.map((one) => one.manifest);
  if (input.options["json"] === true) {
    const [only] = manifests;
    context.print(JSON.stringify(manifests.length === 1 ? only : manifests, undefined, 2));
    return;
  }
  const { stringify } = await import("yaml");
  context.print(manifests.map((manifest) => stringify(manifest).trimEnd()).join("\n---\n"));
}

/** Without its Secret a function would never start: said before anything is changed. */
async function requireSecrets(
  api: HttpClient,
  { name, namespace }: Wanted,
  secrets: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  for (const [secret, keys] of secrets) {
    const create = `ebb kubectl create secret generic ${secret} -n ${namespace} ${keys.map((key) => `--from-literal=${key}=…`).join(" ")}`;
    const found = await api.get(SecretKind, { namespace, name: secret }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      throw new CommandError(
        `${name} needs secret "${secret}", which namespace ${namespace} does not have; make it with\n  ${create}`,
      );
    });
    const missing = keys.find((key) => found.data?.[key] === undefined);
    if (missing !== undefined)
      throw new CommandError(
        `${name} needs key "${missing}" of secret "${secret}", which has ${Object.keys(found.data ?? {}).join(", ") || "none"}`,
      );
  }
}

function scheduleOf(input: CommandInput): string | undefined {
  const schedule = textOption(input, "schedule");
  if (schedule === undefined) return undefined;
  const [problem] = checkCronSchedule(schedule);
  if (problem !== undefined) throw new CommandError(`--schedule: "${schedule}": ${problem}`, { exitCode: 2 });
  return schedule;
}

/** A CronJob beside the Service; taken away again by a deployment without a schedule. */
async function applySchedule(
  context: CommandContext,
  input: CommandInput,
  of: {
    readonly api: HttpClient;
    readonly store: ImageStore;
    readonly service: Service;
    readonly schedule: string | undefined;
  },
): Promise<void> {
  const { api, service, schedule } = of;
  const { name, namespace = "default", uid = "" } = service.metadata;
  if (schedule === undefined) {
    // Only one made here is taken away: the label says so.
    const had = await api.list(CronJobKind, { namespace, labelSelector: `dev.ebb.function=${name}` });
    for (const old of had.items) await api.delete(CronJobKind, { namespace, name: old.metadata.name });
    return;
  }
  const { buildCaller, makeSchedule } = await import("../../functions/deploy/make-schedule.ts");
  const host = new URL(service.status?.url ?? "http://localhost").host;
  // In a cluster names resolve; here the router is called by its address.
  const url =
    textOption(input, "kubeconfig") === undefined
      ? runningOf(context, input).routerUrl
      : (service.status?.address?.url ?? service.status?.url ?? "");
  const image = await buildCaller(of.store);
  const body = makeSchedule({ name, namespace, schedule, image, url, host, owner: { uid } });
  await api.patch(
    CronJobKind,
    { namespace, name },
    { type: "apply", body },
    { fieldManager: "ebb-deploy", force: true },
  );
}

function report(context: CommandContext, input: CommandInput, one: Deployed, seconds: string): void {
  const { name, namespace, built, ready } = one;
  const { url, latestReadyRevisionName: revision } = ready.status ?? {};
  const pinned = ready.status?.traffic?.every((target) => target.latestRevision !== true) === true;
  if (input.options["json"] === true)
    context.print(JSON.stringify({ name, namespace, url, revision, image: built.image, pinned }));
  else context.print(`${name} is ready at ${url} (${revision}, ${seconds} s)`);
  if (pinned)
    context.note(
      `its traffic is pinned to ${ready.status?.traffic?.map((t) => t.revisionName).join(", ")}: "ebb rollback ${name} --to latest" sends it to ${revision}`,
    );
}
