import { createWriteStream, existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { loadArchive } from "../../../images/archive/load-archive.ts";
import { saveArchive } from "../../../images/archive/save-archive.ts";
import { CommandError, textOption, type Command } from "../../command.ts";
import { ebbVersion } from "../../version.ts";
import { storeOf, storeOptions } from "./image-store.ts";

export const imageLoad: Command = {
  name: "load",
  summary: "read images from an archive",
  description:
    "Reads the images of an archive: an OCI archive, or one of `docker save` or `podman save`, compressed with gzip or zstd or not.",
  args: [{ name: "[file]", summary: "the archive; standard input when left out or -" }],
  options: [{ flags: "--name <image>", summary: "name the image, where the archive does not" }, ...storeOptions],
  examples: ["ebb image load app.tar", "docker save app | ebb image load"],
  run: async (context, input) => {
    const [file = "-"] = input.args;
    const store = storeOf(context, input);
    const name = textOption(input, "name");
    const options = { signal: context.signal, ...(name === undefined ? {} : { name }) };
    let loaded;
    if (file === "-") {
      if (context.stdin.isTTY)
        throw new CommandError("name a file, or send the archive to standard input", { exitCode: 2 });
      const aside = store.blobs.draft();
      try {
        await pipeline(context.stdin, createWriteStream(aside), { signal: context.signal });
        loaded = await loadArchive(store, aside, { ...options, called: "standard input" });
      } finally {
        await rm(aside, { force: true });
      }
    } else {
      if (!existsSync(file)) throw new CommandError(`there is no file ${file}`);
      loaded = await loadArchive(store, file, options);
    }
    if (input.options["json"] === true) context.print(JSON.stringify(loaded));
    else for (const image of loaded) context.print(`loaded ${image.name ?? image.digest}`);
    for (const image of loaded)
      if (image.name === undefined)
        context.note(`the archive does not say what ${image.digest} is called; load it again with --name`);
  },
};

export const imageSave: Command = {
  name: "save",
  summary: "write images into an archive",
  description:
    "Writes images into one tar that every tool can read: `docker load`, `podman load`, `ctr images import`, `skopeo copy oci-archive:…`. The same images give the same bytes.",
  args: [{ name: "<image...>", summary: "names of images here" }],
  options: [
    { flags: "-o, --output <file>", summary: "file to write; standard output when left out" },
    ...storeOptions.filter((option) => !option.flags.includes("--json")),
  ],
  examples: ["ebb image save -o hello.tar dev.local/default/hello", "ebb image save app | docker load"],
  run: async (context, input) => {
    const store = storeOf(context, input);
    const output = textOption(input, "output");
    if (output === undefined && (context.stdout as { readonly isTTY?: boolean }).isTTY)
      throw new CommandError("an archive is nothing to look at: name a file with -o, or send it on with |", {
        exitCode: 2,
      });
    const { attestBefore } = await import("../../../functions/build/attest.ts");
    for (const image of input.args) await attestBefore(store, image, ebbVersion());
    const tar = await saveArchive(store, input.args);
    if (output === undefined) {
      await pipeline(Readable.from(tar), context.stdout, { end: false, signal: context.signal });
      return;
    }
    const aside = `${output}.${process.pid}.tmp`;
    try {
      await pipeline(Readable.from(tar), createWriteStream(aside), { signal: context.signal });
      await rename(aside, output);
    } finally {
      await rm(aside, { force: true });
    }
    context.note(`wrote ${output}`);
  },
};
