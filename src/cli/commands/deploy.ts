import { join } from "node:path";
import { SecretKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { Service } from "../../api/serving/types.gen.ts";
import type { HttpClient } from "../../client/http-client.ts";
import type { FoundFunction } from "../../functions/build/find-functions.ts";
import type { FunctionSettings } from "../../functions/deploy/make-function-service.ts";
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
import { registryFlags } from "../cluster/cluster-registry.ts";
import type { ClusterTarget } from "../cluster/deploy-target.ts";
import { pullSecretFlags } from "../cluster/pull-secret.ts";
import { connect } from "../connect.ts";
import { functionFlags, readFunctionFlags } from "../function-flags.ts";
import { applySchedule, scheduleFlags, scheduleOf } from "../function-schedule.ts";
import { pushFlags } from "../push-built.ts";
import { createProgress, type Progress } from "../progress.ts";
import { rolledBack } from "../rolled-back.ts";
import { dataDirOf, homeOf, jsonOption, namespaceOption, targetOptions, type Home } from "../target.ts";
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
    ...scheduleFlags,
    ...sourceFlags,
    ...baseFlags,
    ...registryFlags,
    ...pullSecretFlags,
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
    "ebb deploy report.py --schedule '0 6 * * 1-5' --timezone Europe/Berlin",
    "ebb deploy functions --dry-run",
    "ebb deploy hello.ts --context prod --registry ghcr.io/me",
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
  const prepared = await prepare(context, input, { progress, flags, scheduled: schedule !== undefined });
  const { wanted, api } = prepared;
  if (!api) {
    await printManifests(context, input, wanted);
    return;
  }
  const { secretsOf } = await import("../../functions/deploy/make-function-service.ts");
  for (const one of wanted) await requireSecrets(api, one, secretsOf(one.settings));
  const done = await Promise.all(
    wanted.map(async (one): Promise<Deployed> => {
      progress.stage(`rolling out ${one.name}: ${sizeWords(one.built.layers)}`);
      const ready = await apply(api, one, { signal: context.signal, waitMs, tell: (line) => progress.stage(line) });
      await applySchedule(api, ready, schedule);
      return { ...one, ready };
    }),
  );
  progress.end();
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  for (const one of done) {
    report(context, input, one, seconds);
    if (prepared.cluster) await tellTheWay(context, input, { client: api, service: one.ready });
  }
}

/** What is to be applied, and where. */
interface Prepared {
  readonly wanted: readonly Wanted[];
  /** Absent for a dry run. */
  readonly api?: HttpClient;
  /** Absent for the ebb of this machine. */
  readonly cluster?: ClusterTarget;
}

/** Finds, builds and, for a cluster, pushes: whatever can fail before the first Service is changed. */
async function prepare(
  context: CommandContext,
  input: CommandInput,
  of: { readonly progress: Progress; readonly flags: FunctionSettings; readonly scheduled: boolean },
): Promise<Prepared> {
  const { progress } = of;
  const dryRun = input.options["dryRun"] === true;
  const home = dryRun && !namesCluster(input) ? undefined : homeOf(context, input);
  const { functions } = await findSources(context, input);
  if (of.scheduled && functions.length > 1)
    throw new CommandError(`--schedule is for one function; there are ${functions.length}`, { exitCode: 2 });
  const { openImageStore } = await import("../../images/store.ts");
  const store = openImageStore(join(dataDirOf(context, input), "images"));
  const place = await openPlace(context, input, { home, functions, progress });
  const { namespace, cluster } = place;
  const attested = cluster !== undefined || textOption(input, "push") !== undefined;
  const building = { found: functions, store, progress, namespace, attested };
  const built = await buildAll(context, input, { ...building, ...cluster?.building });
  if (!dryRun) cluster?.keepRegistry();
  const wanted: Wanted[] = [];
  for (const one of built) wanted.push(await makeWanted(one, { ...of, namespace, dryRun, cluster }));
  const api = dryRun ? undefined : await place.api;
  return { wanted, ...(api ? { api } : {}), ...(cluster ? { cluster } : {}) };
}

interface Place {
  readonly namespace: string;
  readonly api?: Promise<HttpClient>;
  readonly cluster?: ClusterTarget;
}

/** The connection to where it is deployed, and what a cluster asks for. */
async function openPlace(
  context: CommandContext,
  input: CommandInput,
  of: { readonly home: Home | undefined; readonly functions: readonly FoundFunction[]; readonly progress: Progress },
): Promise<Place> {
  const named = textOption(input, "namespace");
  if (!of.home) return { namespace: named ?? "default" };
  const api = connect(context, input);
  if (of.home.kind === "standalone") {
    // The connection is made while the compiler works; the first call takes what it costs. Its failure is told by the next.
    api.then((client) => client.list(KnativeServiceKind, { namespace: "default", limit: 1 })).catch(() => undefined);
    return { namespace: named ?? "default", api };
  }
  const client = await api;
  const namespace = named ?? client.config.namespace;
  const namespaces = of.functions.map(({ source }) => source.settings?.namespace ?? namespace);
  const { clusterTarget } = await import("../cluster/deploy-target.ts");
  const cluster = await clusterTarget(context, input, { client, namespaces, progress: of.progress });
  return { namespace, api, cluster };
}

async function makeWanted(
  built: Built,
  of: {
    readonly flags: FunctionSettings;
    readonly namespace: string;
    readonly dryRun: boolean;
    readonly cluster: ClusterTarget | undefined;
  },
): Promise<Wanted> {
  const { makeFunctionService, mergeSettings, settingsOfModel } =
    await import("../../functions/deploy/make-function-service.ts");
  const said = mergeSettings(built.source.settings ?? {}, of.flags);
  const to = { name: built.source.name, namespace: built.source.settings?.namespace ?? of.namespace };
  const secret = said.imagePullSecret ?? (of.dryRun ? undefined : await of.cluster?.pullSecret(built, to.namespace));
  const settings = {
    ...mergeSettings(settingsOfModel(built.model, said), said),
    ...(secret === undefined ? {} : { imagePullSecret: secret }),
  };
  return { ...to, built, settings, manifest: makeFunctionService({ ...settings, ...to, image: built.image }) };
}

const namesCluster = (input: CommandInput): boolean =>
  textOption(input, "kubeconfig") !== undefined || textOption(input, "context") !== undefined;

/** How a person reaches a service of a cluster whose name does not lead there by itself. */
async function tellTheWay(
  context: CommandContext,
  input: CommandInput,
  { client, service }: { readonly client: HttpClient; readonly service: Service },
): Promise<void> {
  const { wayWords } = await import("../cluster/way-words.ts");
  for (const line of await wayWords(context, input, { client, service })) context.note(line);
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
