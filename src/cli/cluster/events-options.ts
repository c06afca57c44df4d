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
  const wanted = how === "own" || current !== undefined || nats.storage === "none" || client === undefined;
  const named = nats.storage !== "none" && nats.storage.className !== undefined;
  if (wanted || named || (await hasDefaultClass(client))) return { replicas, nats };
  progress.line(
    "events are left out: the cluster has no default StorageClass for NATS; --nats-storage-class names one, --nats-ephemeral does without, --events nats://host:4222 uses a server that is there",
  );
  return undefined;
}

const replicasOf = (input: CommandInput): number | undefined =>
  numberOption(input, "eventsReplicas", 1) ?? numberOption(input, "replicas", 1);

const ownNats = (input: CommandInput, was: OwnNats | undefined, nodes: number): OwnNats => ({
  kind: "own",
  image: textOption(input, "natsImage") ?? was?.image ?? defaultNatsImage,
  servers: serversOf(input) ?? was?.servers ?? (nodes >= 3 ? 3 : 1),
  storage: storageOf(input, was),
});

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "nats:" && url.protocol !== "tls:"))
    throw new CommandError(`--events: "${text}" is neither own, none nor a URL like nats://user:password@host:4222`, {
      exitCode: 2,
    });
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

async function hasDefaultClass(client: Client): Promise<boolean> {
  const { items } = await client.list(StorageClassKind);
  return items.some(({ metadata }) => metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true");
}
