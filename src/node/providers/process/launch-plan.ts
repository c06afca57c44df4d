import { existsSync } from "node:fs";
import { join } from "node:path";
import { functionModels, type FunctionModel, type HostName } from "../../../functions/hosts/protocol.ts";
import type { UnpackedImage } from "../../image-source.ts";
import { ContainerStartError, type ContainerStart } from "../../runtime.ts";

/** How a container of an image is started on this machine. */
export type LaunchPlan =
  | {
      readonly kind: "host";
      readonly host: HostName;
      readonly entry: string;
      readonly model: FunctionModel;
      readonly target?: string;
      readonly signature?: string;
      readonly cwd: string;
      /** Absolute paths on this machine. */
      readonly modulePaths?: readonly string[];
    }
  | { readonly kind: "program"; readonly file: string; readonly args: readonly string[]; readonly cwd: string };

const hostNames: readonly HostName[] = ["node", "python"];

type Asked = Pick<ContainerStart, "command" | "args" | "workingDir" | "image">;

/**
 * A function image runs on its host unless the pod overrides the command. Otherwise command and args replace
 * Entrypoint and Cmd as the kubelet does: command alone drops the image's Cmd.
 *
 * The image's root is not the process's root: absolute paths that exist in the image mean the image's file, others
 * the machine's.
 */
export function planLaunch(image: UnpackedImage, asked: Asked): LaunchPlan {
  const { config, root } = image;
  const cwd = workingDirectory(root, asked.workingDir ?? config.WorkingDir ?? "/");
  const labels = config.Labels ?? {};
  const overridden = (asked.command?.length ?? 0) > 0 || (asked.args?.length ?? 0) > 0;
  const host = hostNames.find((name) => name === labels["dev.ebb.host"]);
  if (host !== undefined && !overridden) {
    const entry = labels["dev.ebb.entry"] ?? "";
    if (entry === "" || !existsSync(join(root, entry))) {
      throw new ContainerStartError(
        "RunContainerError",
        `image "${asked.image}" says its function is in "${entry}", which it does not contain: build it again`,
      );
    }
    const { "dev.ebb.target": target, "dev.ebb.signature": signature, "dev.ebb.module-paths": modules } = labels;
    return {
      kind: "host",
      host,
      entry: join(root, entry),
      model: toModel(labels["dev.ebb.model"]),
      ...(target === undefined ? {} : { target }),
      ...(signature === undefined ? {} : { signature }),
      ...(modules === undefined ? {} : { modulePaths: modules.split(":").map((path) => join(root, path)) }),
      cwd,
    };
  }
  return planProgram(image, asked, cwd);
}

function planProgram({ config, root }: UnpackedImage, asked: Asked, cwd: string): LaunchPlan {
  const command = asked.command?.length ? asked.command : (config.Entrypoint ?? []);
  const args = asked.args?.length || asked.command?.length ? (asked.args ?? []) : (config.Cmd ?? []);
  const [file, ...rest] = [...command, ...args].map((word) => intoImage(root, word));
  if (file === undefined) {
    throw new ContainerStartError(
      "RunContainerError",
      `image "${asked.image}" has no Entrypoint or Cmd: set the container's command`,
    );
  }
  return { kind: "program", file, args: rest, cwd };
}

const toModel = (text: string | undefined): FunctionModel => functionModels.find((model) => model === text) ?? "auto";

function intoImage(root: string, word: string): string {
  return word.startsWith("/") && existsSync(join(root, word)) ? join(root, word) : word;
}

function workingDirectory(root: string, path: string): string {
  const inside = join(root, path);
  if (existsSync(inside)) return inside;
  if (existsSync(path)) return path;
  throw new ContainerStartError(
    "RunContainerError",
    `working directory "${path}" is neither in the image nor on this machine`,
  );
}
