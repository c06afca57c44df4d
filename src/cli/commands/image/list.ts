import { isIndex, platformText, type ImageConfig, type Index, type Manifest } from "../../../images/oci.ts";
import { referrersOf } from "../../../images/referrers.ts";
import type { ImageStore, StoredName } from "../../../images/store.ts";
import { CommandError, firstArg, type Command } from "../../command.ts";
import { bytesText, storeOf, storeOptions } from "./image-store.ts";

interface Row {
  readonly name: string;
  readonly digest: string;
  readonly platforms: readonly string[];
  /** Bytes of the blobs that are here. */
  readonly size: number;
}

export const imageList: Command = {
  name: "ls",
  summary: "list the images of this machine",
  options: [
    { flags: "-a, --all", summary: "also those without a tag: older builds, SBOMs, parts of an index" },
    ...storeOptions,
  ],
  examples: ["ebb image ls", "ebb image ls --all --json"],
  run: async (context, input) => {
    const store = storeOf(context, input);
    const all = input.options["all"] === true;
    const names = (await store.list()).filter(({ name }) => all || !name.includes("@"));
    const rows = await Promise.all(names.map((name) => rowOf(store, name)));
    const sorted = rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (input.options["json"] === true) context.print(JSON.stringify(sorted, undefined, 2));
    else if (sorted.length === 0)
      context.note('there are no images here; "ebb deploy", "ebb image pull" and "ebb image load" bring some');
    else for (const line of table(sorted)) context.print(line);
  },
};

async function rowOf(store: ImageStore, { name, digest }: StoredName): Promise<Row> {
  const blobs = new Map<string, number>();
  const platforms: string[] = [];
  const visit = async (at: string): Promise<void> => {
    const size = store.blobs.size(at);
    const document = size === undefined ? undefined : await store.readJson<Manifest | Index>(at);
    if (!document || size === undefined) return;
    blobs.set(at, size);
    if (isIndex(document)) for (const entry of document.manifests) await visit(entry.digest);
    else {
      for (const blob of [document.config, ...document.layers])
        if (store.hasBlob(blob.digest)) blobs.set(blob.digest, blob.size);
      const config = await store.readJson<Partial<ImageConfig>>(document.config.digest);
      if (config?.os !== undefined && config.architecture !== undefined)
        platforms.push(platformText({ os: config.os, architecture: config.architecture }));
    }
  };
  await visit(digest);
  return { name, digest, platforms, size: [...blobs.values()].reduce((sum, size) => sum + size, 0) };
}

function table(rows: readonly Row[]): readonly string[] {
  const cells = [
    ["NAME", "DIGEST", "PLATFORM", "SIZE"],
    ...rows.map((row) => [
      row.name.includes("@") ? row.name.slice(0, row.name.indexOf("@")) : row.name,
      row.digest.slice(7, 19),
      row.platforms.join(",") || "-",
      bytesText(row.size),
    ]),
  ];
  const widths = [0, 1, 2].map((i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells.map((line) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
}

export const imageInspect: Command = {
  name: "inspect",
  summary: "show what an image is: manifest, config, layers, what refers to it",
  args: [{ name: "<image>", summary: "name or name@digest" }],
  options: storeOptions,
  examples: ["ebb image inspect dev.local/default/hello"],
  run: async (context, input) => {
    const store = storeOf(context, input);
    const text = firstArg(input);
    const named = store.find(text);
    const image = named && (await store.resolve(text));
    if (!image) throw new CommandError(`there is no image "${text}" here; "ebb image ls" lists them`);
    const index = image.named.digest === image.digest ? undefined : await store.readJson<Index>(image.named.digest);
    const referrers = await referrersOf(store, await store.list(), image.digest);
    const layers = image.manifest.layers.map((layer) => ({ ...layer, here: store.hasBlob(layer.digest) }));
    const shown = {
      digest: image.named.digest,
      ...(index
        ? { platforms: index.manifests.flatMap(({ platform }) => platform ?? []), manifest: image.digest }
        : {}),
      architecture: image.config.architecture,
      os: image.config.os,
      config: image.config.config ?? {},
      layers,
      annotations: image.manifest.annotations ?? {},
      referrers,
    };
    context.print(JSON.stringify(shown, undefined, 2));
  },
};
