import { CommandError, firstArg, type CommandContext, type CommandInput } from "./command.ts";
import type { RouterWay } from "./cluster/router-way.ts";
import { connect } from "./connect.ts";
import { findService, namespaceOf } from "./find-service.ts";
import { homeOf, runningOf } from "./target.ts";

/** Where the service of a command's first argument is to be found, and how a request gets there. */
export async function wayToService(
  context: CommandContext,
  input: CommandInput,
): Promise<{ readonly url: URL; readonly way: RouterWay }> {
  const home = homeOf(context, input);
  const client = await connect(context, input);
  const name = firstArg(input);
  const { status } = await findService(client, namespaceOf(input, client), name);
  if (status?.url === undefined)
    throw new CommandError(`service "${name}" has no URL yet; "ebb describe ${name}" shows why`);
  const url = new URL(status.url);
  if (home.kind === "standalone") {
    // Names like hello.default.localhost do not resolve everywhere: the router is called by address.
    const origin = runningOf(context, input).routerUrl;
    return { url, way: { words: `the router at ${origin}`, origin, isPublic: true } };
  }
  const { findRouterWay } = await import("./cluster/router-way.ts");
  return { url, way: await findRouterWay(client, url, context.signal) };
}
