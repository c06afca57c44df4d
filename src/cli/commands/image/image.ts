import type { Command } from "../../command.ts";
import { imageLoad, imageSave } from "./archive.ts";
import { imageBase } from "./base.ts";
import { imageHost } from "./host.ts";
import { imageInspect, imageList } from "./list.ts";
import { imageCollect, imageRemove } from "./remove.ts";
import { imagePull, imagePush } from "./transfer.ts";

export const image: Command = {
  name: "image",
  summary: "list, pull, push, save, load and remove images",
  commands: [
    imageList,
    imageInspect,
    imagePull,
    imagePush,
    imageLoad,
    imageSave,
    imageBase,
    imageHost,
    imageRemove,
    imageCollect,
  ],
};
