/** What `ebb install` is told of events. */
import type { KubeObject } from "../../api/meta/object.ts";
import { kind } from "../../api/meta/kind.ts";
import type { Client } from "../../client/client.ts";
import {
  defaultNatsImage,
  defaultNatsStorage,
  type EventsOptions,
  type OwnNats,
} from "../../install/bundle-options.ts";
import { CommandError, numberOption, textOption, type CommandInput, type Option } from "../command.ts";
import type { Progress } from "../progress.ts";
import { namedFiles, parseNatsUrl } from "../../main/nats-log.ts";

export const eventsOptions: readonly Option[] = [
  {
    flags: "--events <how>",
    summary:
      "own: with a NATS server for them; nats://user:password@host:4222: kept in that one; none (default: as it is; at first own, where there is a default StorageClass)",
  },
  { flags: "--events-replicas <n>", summary: "replicas of ebb-events (default: as it is; at first as --replicas)" },
  { flags: "--nats-image <image>", summary: `image of the NATS server, 2.10 or later (default ${defaultNatsImage})` },
  {
    flags: "--nats-servers <n>",
    summary: "servers, and copies of every event: 1 or 3 (default: as it is; at first 3 where there are three nodes)",
  },
  { flags: "--nats-storage <size>", summary: `volume of each server (default ${defaultNatsStorage})` },
  { flags: "--nats-storage-class <name>", summary: "StorageClass of these volumes (default: the cluster's)" },
  { flags: "--nats-ephemeral", summary: "no volumes: events are lost with the server's pod" },
];

interface Surroundings {
  /** Absent: nothing is asked of a cluster. */
  readonly client?: Client;
  readonly current?: EventsOptions | undefined;
  readonly nodes: number;
  readonly progress: Progress;
}

/** Undefined: none. Throws CommandErrors. */
export async function chooseEvents(
  input: CommandInput,
  { client, current, nodes, progress }: Surroundings,
): Promise<EventsOptions | undefined> {
  const how = textOption(input, "events");
  const replicas = replicasOf(input) ?? current?.replicas ?? (nodes > 1 ? 2 : 1);
  if (how === "none") return undefined;
  if (how !== undefined && how !== "own") return { replicas, nats: { kind: "given", url: checkedUrl(how) } };
  if (how === undefined && current?.nats.kind === "given") return { replicas, nats: current.nats };
  const nats = ownNats(input, current?.nats.kind === "own" ? current.nats : undefined, nodes);
  const missing = client && (await missingVolumes(client, nats, current));
  if (missing === undefined) return { replicas, nats };
  if (how === "own" || current !== undefined || className(nats) !== undefined)
    throw new CommandError(`events need volumes for NATS, and ${missing}: ${ways}; nothing was applied`);
  progress.line(`events are left out: ${missing} for NATS; ${ways}`);
  return undefined;
}

/** Why new volumes would wait for ever; undefined where they would not, or none are made. */
async function missingVolumes(
  client: Client,
  nats: OwnNats,
  current: EventsOptions | undefined,
): Promise<string | undefined> {
  if (nats.storage === "none") return undefined;
  const were = current?.nats.kind === "own" && current.nats.storage !== "none" ? current.nats : undefined;
  if (were && className(were) === className(nats)) return undefined;
  return missingClass(className(nats), (await client.list(StorageClassKind)).items);
}

const className = ({ storage }: OwnNats): string | undefined => (storage === "none" ? undefined : storage.className);

const ways =
  "--nats-storage-class names one that is there, --nats-ephemeral does without, --events nats://host:4222 uses a server that is there, --events none leaves them out";

function missingClass(name: string | undefined, classes: readonly KubeObject[]): string | undefined {
  if (name === undefined) return classes.some(isDefault) ? undefined : "the cluster has no default StorageClass";
  if (classes.some(({ metadata }) => metadata.name === name)) return undefined;
  const names = classes.map(({ metadata }) => metadata.name).join(", ");
  return `the cluster has no StorageClass ${name} (${names === "" ? "it has none at all" : `it has ${names}`})`;
}

const isDefault = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";

const replicasOf = (input: CommandInput): number | undefined =>
  numberOption(input, "eventsReplicas", 1) ?? numberOption(input, "replicas", 1);

const ownNats = (input: CommandInput, was: OwnNats | undefined, nodes: number): OwnNats => ({
  kind: "own",
  image: textOption(input, "natsImage") ?? was?.image ?? defaultNatsImage,
  servers: serversOf(input) ?? was?.servers ?? (nodes >= 3 ? 3 : 1),
  storage: storageOf(input, was),
});

/** Files that a URL names for `ebb up` are not in the pods of ebb-events. */
function checkedUrl(text: string): string {
  if (!/^(?:nats|tls):/.test(text))
    throw new CommandError(`--events: "${text}" is neither own, none nor a URL like nats://user:password@host:4222`, {
      exitCode: 2,
    });
  let files: readonly string[];
  try {
    files = namedFiles(parseNatsUrl(text));
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), { exitCode: 2, cause: error });
  }
  if (files.length > 0)
    throw new CommandError(
      `--events names files (${files.join(", ")}), which ebb-events does not have on a cluster; give user and password in the URL, which is kept in a Secret`,
      { exitCode: 2 },
    );
  return text;
}

function serversOf(input: CommandInput): OwnNats["servers"] | undefined {
  const servers = numberOption(input, "natsServers", 1);
  if (servers === undefined || servers === 1 || servers === 3) return servers;
  throw new CommandError(`--nats-servers: ${servers} is neither 1 nor 3`, { exitCode: 2 });
}

function storageOf(input: CommandInput, was: OwnNats | undefined): OwnNats["storage"] {
  const [size, className] = [textOption(input, "natsStorage"), textOption(input, "natsStorageClass")];
  if (input.options["natsEphemeral"] === true) {
    if (size === undefined && className === undefined) return "none";
    throw new CommandError("--nats-ephemeral has no volumes: leave --nats-storage and --nats-storage-class out", {
      exitCode: 2,
    });
  }
  if (size === undefined && className === undefined && was) return was.storage;
  const before = was && was.storage !== "none" ? was.storage : undefined;
  const chosen = className ?? before?.className;
  return {
    size: size ?? before?.size ?? defaultNatsStorage,
    ...(chosen === undefined ? {} : { className: chosen }),
  };
}

const StorageClassKind = kind<KubeObject>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  namespaced: false,
});
