import { existsSync } from "node:fs";
import { join } from "node:path";
import { collectGarbage } from "../../../images/collect-garbage.ts";
import { isDigest } from "../../../images/digest.ts";
import { canonicalName, parseImageReference } from "../../../images/reference.ts";
import type { ImageStore } from "../../../images/store.ts";
import { readRunning } from "../../../main/data-dir.ts";
import { CommandError, durationOption, type Command, type CommandContext, type CommandInput } from "../../command.ts";
import { connect } from "../../connect.ts";
import { dataDirOf, runningOf } from "../../target.ts";
import { bytesText, storeOf, storeOptions } from "./image-store.ts";

export const imageRemove: Command = {
  name: "rm",
  summary: "take names of images away",
  description:
    "Takes names away; what is in use stays usable. The space is freed by `ebb image gc`, when nothing needs it any more.",
  args: [{ name: "<image...>", summary: "names, or names with digests" }],
  options: storeOptions,
  examples: ["ebb image rm docker.io/library/nginx:1.27"],
  run: async (context, input) => {
    const store = storeOf(context, input);
    const removed: string[] = [];
    const unknown: string[] = [];
    for (const text of input.args) {
      const names = await namesFor(store, text);
      if (names.length === 0) unknown.push(text);
      removed.push(...store.untag(names));
    }
    if (input.options["json"] === true) context.print(JSON.stringify({ removed, unknown }));
    else for (const name of removed) context.print(`removed ${name}`);
    if (unknown.length === 0) return 0;
    context.note(`ebb: there is no image ${unknown.map((text) => `"${text}"`).join(", ")}; "ebb image ls" lists them`);
    return 1;
  },
};

/** The names an argument means: itself, or with a digest alone all that stand for it. */
async function namesFor(store: ImageStore, text: string): Promise<readonly string[]> {
  const names = await store.list();
  if (isDigest(text)) return names.filter(({ digest }) => digest === text).map(({ name }) => name);
  const reference = parseImageReference(text);
  if (!reference) throw new CommandError(`"${text}" is not an image reference`, { exitCode: 2 });
  const wanted = canonicalName(reference);
  return names.filter(({ name }) => name === wanted).map(({ name }) => name);
}

export const imageCollect: Command = {
  name: "gc",
  summary: "remove images that nothing needs any more",
  description:
    "Removes what no tag, no Revision and no Pod needs: older builds, layers of removed names, leftovers of broken transfers. What was made in the last hour stays. Asks the running ebb what is in use.",
  options: [
    { flags: "--dry-run", summary: "say what would go, and remove nothing" },
    { flags: "--verify", summary: "read every blob, and drop those that are damaged" },
    { flags: "--older-than <duration>", summary: "only what is older", default: "1h" },
    { flags: "--tags-only", summary: "ask no ebb: keep only what has a tag" },
    ...storeOptions,
  ],
  examples: ["ebb image gc --dry-run", "ebb image gc --verify"],
  run: async (context, input) => {
    const store = storeOf(context, input);
    const dryRun = input.options["dryRun"] === true;
    const garbage = await collectGarbage(store, {
      keep: input.options["tagsOnly"] === true ? new Set() : await digestsInUse(context, input),
      minAgeMs: durationOption(input, "olderThan") ?? 3600_000,
      now: Date.now(),
      dryRun,
      verify: input.options["verify"] === true,
      signal: context.signal,
    });
    if (input.options["json"] === true) context.print(JSON.stringify({ ...garbage, dryRun }, undefined, 2));
    else {
      const verb = dryRun ? "would free" : "freed";
      const { names, blobs, directories, bytes } = garbage;
      context.print(
        `${verb} ${bytesText(bytes)}: ${names.length} untagged images, ${blobs.length} blobs, ${directories.length} unpacked images and leftovers`,
      );
    }
    for (const { digest, images } of garbage.damaged)
      context.note(
        `${digest} is damaged${dryRun ? "" : " and was dropped"}: deploy, pull or load again: ${images.join(", ")}`,
      );
    return garbage.damaged.length > 0 ? 1 : 0;
  },
};

const kindsWithImages = [
  "/apis/serving.knative.dev/v1/revisions",
  "/api/v1/pods",
  "/apis/apps/v1/deployments",
  "/apis/apps/v1/replicasets",
  "/apis/batch/v1/jobs",
  "/apis/batch/v1/cronjobs",
];

/** Every digest that an object of the running ebb mentions. */
async function digestsInUse(context: CommandContext, input: CommandInput): Promise<ReadonlySet<string>> {
  const dir = dataDirOf(context, input);
  // Nothing was ever deployed here.
  if (!existsSync(join(dir, "state.db"))) return new Set();
  if (!readRunning(dir))
    throw new CommandError(
      `no ebb runs on ${dir} to say which images its Revisions need; start it with "ebb up", or give --tags-only to keep only what has a tag`,
    );
  runningOf(context, input);
  const client = await connect(context, input);
  const digests = new Set<string>();
  for (const path of kindsWithImages) {
    const text = await (await client.raw(path)).body.text();
    for (const [digest] of text.matchAll(/sha256:[0-9a-f]{64}/g)) digests.add(digest);
  }
  return digests;
}
