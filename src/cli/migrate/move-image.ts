import { join } from "node:path";
import { runnable } from "../../functions/build/runnable.ts";
import { functionLabels } from "../../functions/build/labels.ts";
import { buildImage } from "../../images/build-image.ts";
import { localRegistries, parseImageReference } from "../../images/reference.ts";
import { pullImage } from "../../images/registry/pull-image.ts";
import { pushImage } from "../../images/registry/push-image.ts";
import { askForDigest } from "../../images/resolve-digest.ts";
import type { ImageStore, StoredImage } from "../../images/store.ts";
import { createBases } from "../base-images.ts";
import { clusterRegistry, imageNames } from "../cluster/cluster-registry.ts";
import { readContextSettings } from "../cluster/context-settings.ts";
import { CommandError, textOption, type CommandContext, type CommandInput } from "../command.ts";
import { registryClientOf } from "../commands/image/image-store.ts";
import type { Progress } from "../progress.ts";
import { dataDirOf } from "../target.ts";
import type { End } from "./homes.ts";

export interface MovedImage {
  /** Its name at the other home, pinned where it is copied. */
  readonly image: string;
  /** For the plan: `copied to ghcr.io/me`; undefined where it stays where it is. */
  readonly how?: string;
  /** Copies it; called once the plan is agreed to. */
  readonly copy: () => Promise<void>;
}

export interface Moving {
  readonly context: CommandContext;
  readonly input: CommandInput;
  readonly store: ImageStore;
  readonly progress: Progress;
  readonly from: End;
  readonly to: End;
}

const stays = (image: string): MovedImage => ({ image, copy: async () => undefined });

/**
 * Finds how a Service's image gets to another home. What a registry has stays there, unless --registry names another,
 * which gets a copy; what only this machine has is pushed, with a base where it has none; a standalone ebb gets a copy
 * in its store. Throws CommandError and ImageError.
 */
export async function moveImage(moving: Moving, service: string, image: string): Promise<MovedImage> {
  const reference = parseImageReference(image);
  if (!reference) return stays(image);
  const isLocal = localRegistries.has(reference.registry);
  if (moving.to.home.kind === "standalone") return isLocal ? stays(image) : pulled(moving, service, image);
  if (isLocal) return await pushed(moving, service, image);
  const named = textOption(moving.input, "registry");
  return named === undefined || image.startsWith(`${named}/`) ? stays(image) : await copied(moving, service, image);
}

async function pushed(moving: Moving, service: string, image: string): Promise<MovedImage> {
  const { context, input, store, to } = moving;
  const stored = await store.resolve(image);
  if (!stored)
    throw new CommandError(`${service}: its image ${image} is not in the store of this machine; deploy it again first`);
  const place = { dataDir: dataDirOf(context, input), context: to.name, server: to.client.config.server };
  const { registry, keep } = clusterRegistry(input, place);
  const hasBase = stored.manifest.annotations?.["org.opencontainers.image.base.digest"] !== undefined;
  const local = hasBase ? image : await withBase(moving, service, stored);
  const { pull, push } = imageNames(registry, service, digestIn(local));
  return {
    image: pull,
    how: `copied to ${push}${hasBase ? "" : ", with a base"}`,
    async copy() {
      const client = registryClientOf(context, input, { insecure: registry.insecure });
      try {
        moving.progress.stage(`pushing ${push}`);
        await pushImage({ client, store }, local, push, { signal: context.signal });
        keep();
      } finally {
        await client.close();
      }
    },
  };
}

const digestIn = (image: string): string => image.slice(image.indexOf("@") + 1);

/** The same function over a base with its runtime: its own layers, and the host's. */
async function withBase(moving: Moving, service: string, stored: StoredImage): Promise<string> {
  const { context, input, store, progress } = moving;
  const { manifest, config } = stored;
  const labels = config.config?.Labels ?? {};
  const language = labels[functionLabels.host] === "python" ? "python" : "node";
  const under = await createBases(context, input, { store, progress, standard: "machine" })(language);
  const layers = manifest.layers.map((descriptor, i) => {
    const layer = { descriptor, diffId: config.rootfs.diff_ids[i] ?? descriptor.digest };
    return { kind: "stored", layer } as const;
  });
  const packed = { layers, config: config.config ?? {}, warnings: [] };
  const whole = await runnable({ cacheDir: join(dataDirOf(context, input), "cache") }, packed);
  const name = `dev.local/migrated/${service}`;
  const digest = await buildImage(store, name, {
    ...whole,
    architecture: config.architecture,
    ...(under ? { base: under.base } : {}),
  });
  return `${name}@${digest}`;
}

interface Source {
  /** The image as this machine pulls it. */
  readonly reachable: string;
  readonly insecure: boolean;
}

/** How an image of the home it comes from is had here: what was said of that context when it was deployed to. */
function sourceOf({ context, input, from }: Moving, image: string): Source {
  const place = { dataDir: dataDirOf(context, input), context: from.name, server: from.client.config.server };
  const { registry, pushRegistry, insecure } = readContextSettings(place);
  const renamed = registry !== undefined && pushRegistry !== undefined && image.startsWith(`${registry}/`);
  return {
    reachable: renamed ? `${pushRegistry}${image.slice(registry.length)}` : image,
    insecure: input.options["insecure"] === true || insecure === true,
  };
}

async function pull(moving: Moving, { reachable, insecure }: Source, platform?: "all"): Promise<void> {
  const { context, input, store, progress } = moving;
  const client = registryClientOf(context, input, { insecure });
  try {
    progress.stage(`pulling ${reachable}`);
    await pullImage({ client, store }, reachable, { signal: context.signal, ...(platform ? { platform } : {}) });
  } finally {
    await client.close();
  }
}

/** A copy in the store of this machine, under a name nobody has to be asked for. */
function pulled(moving: Moving, service: string, image: string): MovedImage {
  const { store } = moving;
  const source = sourceOf(moving, image);
  const digest = parseImageReference(image)?.digest;
  const name = `dev.local/migrated/${service}`;
  return {
    image: digest === undefined ? `${name}:latest` : `${name}@${digest}`,
    how: `copied to this machine from ${source.reachable}`,
    async copy() {
      await pull(moving, source);
      const found = store.find(source.reachable);
      if (found) await store.tag(`${name}:latest`, found);
    },
  };
}

/** From one registry to another, by way of this machine; for every platform it has. */
async function copied(moving: Moving, service: string, image: string): Promise<MovedImage> {
  const { context, input, store, to, progress } = moving;
  const place = { dataDir: dataDirOf(context, input), context: to.name, server: to.client.config.server };
  const { registry, keep } = clusterRegistry(input, place);
  const source = sourceOf(moving, image);
  const asking = registryClientOf(context, input, { insecure: source.insecure });
  const pinned = await askForDigest(asking, source.reachable, { signal: context.signal }).finally(() => asking.close());
  const names = imageNames(registry, service, digestIn(pinned));
  return {
    image: names.pull,
    how: `copied from ${pinned} to ${names.push}`,
    async copy() {
      await pull(moving, { ...source, reachable: pinned }, "all");
      const client = registryClientOf(context, input, { insecure: registry.insecure });
      try {
        progress.stage(`pushing ${names.push}`);
        await pushImage({ client, store }, pinned, names.push, { signal: context.signal });
        keep();
      } finally {
        await client.close();
      }
    },
  };
}
