import { expect, test } from "vitest";
import type { KubeObject } from "../../api/meta/object.ts";
import type { EventsOptions } from "../../install/bundle-options.ts";
import { CommandError, type CommandInput } from "../command.ts";
import { chooseEvents } from "./events-options.ts";

const classOf = (name: string, isDefault = false): KubeObject => ({
  metadata: {
    name,
    annotations: isDefault ? { "storageclass.kubernetes.io/is-default-class": "true" } : {},
  },
});

interface Case {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly classes?: readonly KubeObject[];
  readonly current?: EventsOptions;
}

async function choose({ options = {}, classes = [], current }: Case) {
  const told: string[] = [];
  const progress = { line: (text: string) => void told.push(text) };
  const client = { list: () => Promise.resolve({ items: classes }) } as never;
  const input = { args: [], options } as unknown as CommandInput;
  const chosen = await chooseEvents(input, { client, current, nodes: 1, progress: progress as never });
  return { chosen, told };
}

const own: EventsOptions = {
  replicas: 1,
  nats: { kind: "own", image: "nats", servers: 1, storage: { size: "10Gi" } },
};

test("events are left out, and it is told, where there is nothing to make volumes of", async () => {
  const { chosen, told } = await choose({ classes: [classOf("slow")] });
  expect(chosen).toBeUndefined();
  expect(told.join()).toMatch(/events are left out: the cluster has no default StorageClass.*--nats-ephemeral/);
});

test.each<[string, Case]>([
  ["a default class", { classes: [classOf("slow", true)] }],
  ["a class that was named", { classes: [classOf("slow")], options: { natsStorageClass: "slow" } }],
  ["no volumes asked for", { options: { natsEphemeral: true } }],
  ["a NATS that has its volumes already", { current: own }],
])("events come with %s", async (_why, given) => {
  expect((await choose(given)).chosen?.nats.kind).toBe("own");
});

test.each<[string, Case, RegExp]>([
  ["asked for by name", { options: { events: "own" } }, /no default StorageClass.*nothing was applied/],
  [
    "of a class that is not there",
    { classes: [classOf("slow", true)], options: { natsStorageClass: "fast" } },
    /no StorageClass fast \(it has slow\).*nothing was applied/,
  ],
  [
    "moved to a class that is not there",
    { current: own, options: { natsStorageClass: "fast" } },
    /no StorageClass fast \(it has none at all\)/,
  ],
])("volumes that could never be made are refused: %s", async (_why, given, message) => {
  await expect(choose(given)).rejects.toThrow(message);
  await expect(choose(given)).rejects.toBeInstanceOf(CommandError);
});

test.each<[string, RegExp]>([
  ["http://nats:4222", /neither own, none nor a URL like nats:/],
  ["nats://nats:4222?replicas=4", /replicas of --events must be 1, 3 or 5/],
  [
    "nats://u@nats:4222?password=/run/pw&ca=/run/ca",
    /names files \(\/run\/pw, \/run\/ca\), which ebb-events does not have/,
  ],
])("a server that is given so is refused: %s", async (events, message) => {
  await expect(choose({ options: { events } })).rejects.toThrow(message);
});

test("several servers may be given, over TLS", async () => {
  const events = "tls://u:p@a:4222,b:4222?replicas=3";
  expect((await choose({ options: { events } })).chosen?.nats).toEqual({ kind: "given", url: events });
});
