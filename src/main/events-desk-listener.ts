/** Where ebb-events answers what controllers pass on: the resources of events.ebb.dev. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { failure, unauthorized } from "../api/meta/errors.ts";
import type { SubresourceHandler } from "../apiserver/http/exchange.ts";
import type { ReviewToken } from "../client/review-token.ts";
import { eventsResourceAt, withStatus } from "./events-api.ts";

export interface EventsDeskDeps {
  readonly handlers: readonly SubresourceHandler[];
  /** Checks tokens for the audience `ebb-events`. */
  readonly reviewToken: ReviewToken;
  /** User of the controllers, who have checked whoever asks. */
  readonly controller: string;
}

export async function listenForDesk(
  at: { readonly host: string; readonly port: number },
  deps: EventsDeskDeps,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => void withStatus(response, () => serve(deps, request, response)));
  server.listen(at.port, at.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Who follows asks another one.
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  { handlers, reviewToken, controller }: EventsDeskDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (token === undefined || (await reviewToken(token))?.name !== controller) throw unauthorized();
  const [path = "/", search = ""] = (request.url ?? "/").split("?", 2);
  const resource = eventsResourceAt(path);
  const handler = handlers.find(
    ({ plural, subresource }) => plural === resource.plural && subresource === resource.subresource,
  );
  if (!handler) throw failure(404, "NotFound", "the server could not find the requested resource");
  const user = { name: controller, groups: [], extra: {} };
  await handler.handle({ request, path: resource, query: new URLSearchParams(search), user }, response);
}
