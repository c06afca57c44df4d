import type { AddressInfo } from "node:net";
import { chooseInstance } from "../choose-instance.ts";
import {
  CommandError,
  firstArg,
  numberOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import { connect } from "../connect.ts";
import type { Doorway } from "../doorway.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";
import { wayToService } from "../way-to-service.ts";

export const portForward: Command = {
  name: "port-forward",
  summary: "make a service answer on a port of this machine",
  description:
    "Opens a port here whose requests go to the service through the router, so that they wake it and count, whatever its domain. With --instance the port leads straight to one instance instead, for any protocol; an instance that is called so may be put to sleep all the same. Stays until Ctrl-C.",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [
    namespaceOption,
    { flags: "-p, --port <n>", summary: "port here; 0 takes a free one", default: "0" },
    { flags: "--address <address>", summary: "address to listen on", default: "127.0.0.1" },
    { flags: "--instance [name]", summary: "straight to this instance, or the newest ready one" },
    { flags: "--instance-port <n>", summary: "with --instance: port of the instance (default: the one it serves on)" },
    { ...jsonOption, summary: "print address and port as JSON" },
    ...targetOptions,
  ],
  examples: ["ebb port-forward hello --port 3000", "ebb port-forward api --instance --instance-port 9229"],
  run: async (context, input) => {
    const port = numberOption(input, "port", 0) ?? 0;
    const host = textOption(input, "address") ?? "127.0.0.1";
    const { door, words } =
      input.options["instance"] === undefined ? await toRouter(context, input) : await toInstance(context, input);
    const server = door.server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          error.code === "EADDRINUSE"
            ? new CommandError(`port ${port} is taken by another program; give another with --port, or 0 for any`)
            : error,
        ),
      );
      server.listen(port, host, resolve);
    });
    const bound = (server.address() as AddressInfo).port;
    const at = host.includes(":") ? `[${host}]` : host;
    if (input.options["json"] === true) context.print(JSON.stringify({ address: host, port: bound }));
    else context.print(`http://${at}:${bound} leads to ${words}`);
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      context.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    door.destroy();
  },
};

interface Opened {
  readonly door: Doorway;
  readonly words: string;
}

async function toRouter(context: CommandContext, input: CommandInput): Promise<Opened> {
  const { url, way } = await wayToService(context, input);
  const { routerDoorway } = await import("../doorway.ts");
  return { door: routerDoorway({ url, way, tell: context.note }), words: `${url.host} through ${way.words}` };
}

async function toInstance(context: CommandContext, input: CommandInput): Promise<Opened> {
  const client = await connect(context, input);
  const named = textOption(input, "instance");
  const { instance: _, ...others } = input.options;
  const pod = await chooseInstance(client, named === undefined ? { ...input, options: others } : input);
  const served = pod.spec.containers[0]?.ports?.[0]?.containerPort;
  const port = numberOption(input, "instancePort", 1) ?? served;
  if (port === undefined)
    throw new CommandError(`${pod.metadata.name} says no port of its own; name one with --instance-port`);
  const { namespace = "default", name } = pod.metadata;
  const { podDoorway } = await import("../doorway.ts");
  const door = podDoorway({ client, to: { namespace, pod: name, port }, tell: context.note });
  return { door, words: `port ${port} of ${name}, an instance of ${firstArg(input)}` };
}
