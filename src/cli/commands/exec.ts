import type { ReadStream, WriteStream } from "node:tty";
import { chooseInstance } from "../choose-instance.ts";
import { CommandError, textOption, type Command, type CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOption, targetOptions } from "../target.ts";

export const exec: Command = {
  name: "exec",
  summary: "run a command in an instance of a service",
  description:
    "Runs a command in the newest ready instance of a service, or in the one named, and ends with its exit code. The command's own options go behind --. A base image made by ebb has no shell: name its programs, such as node.",
  args: [
    { name: "<service>", summary: "name of the Service" },
    { name: "<command...>", summary: "command and its arguments, behind --" },
  ],
  options: [
    namespaceOption,
    { flags: "--instance <name>", summary: "in this instance; the end of its name is enough" },
    { flags: "-c, --container <name>", summary: "in this container (default: the first)" },
    { flags: "-i, --stdin", summary: "send standard input" },
    { flags: "-t, --tty", summary: "with a terminal" },
    ...targetOptions,
  ],
  examples: [
    "ebb exec hello -- node --version",
    "ebb exec -it hello -- sh",
    "cat data.json | ebb exec -i api -- wc -c",
  ],
  run: async (context, input) => {
    const [, ...command] = input.args;
    const terminal = input.options["tty"] === true ? terminalOf(context) : undefined;
    const client = await connect(context, input);
    const pod = await chooseInstance(client, input);
    const { execInPod } = await import("../../client/pod-exec.ts");
    const { stdin, stdout } = context;
    const sendsInput = input.options["stdin"] === true || terminal !== undefined;
    terminal?.setRawMode(true);
    try {
      return await execInPod(client, {
        namespace: pod.metadata.namespace ?? "default",
        pod: pod.metadata.name,
        container: textOption(input, "container") ?? pod.spec.containers[0]?.name ?? "",
        command,
        stdout: stdout as NodeJS.WriteStream,
        stderr: process.stderr,
        signal: context.signal,
        ...(sendsInput ? { stdin: stdin as ReadStream } : {}),
        ...(terminal ? { terminal: { sizes: sizesOf(stdout as WriteStream, context.signal) } } : {}),
      });
    } finally {
      terminal?.setRawMode(false);
      // Left open, it would keep this process waiting for keys.
      if (sendsInput) (stdin as ReadStream).destroy();
    }
  },
};

function terminalOf({ stdin, stdout }: CommandContext): ReadStream {
  if (stdin.isTTY !== true || (stdout as WriteStream).isTTY !== true)
    throw new CommandError("-t needs a terminal here; leave it out when output goes elsewhere", { exitCode: 2 });
  return stdin as ReadStream;
}

async function* sizesOf(stdout: WriteStream, signal: AbortSignal) {
  while (!signal.aborted) {
    yield { width: stdout.columns, height: stdout.rows };
    await new Promise<void>((resolve) => stdout.once("resize", resolve));
  }
}
