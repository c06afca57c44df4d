import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { RequestUser } from "../../api/meta/definition.ts";
import { unauthorized } from "../../api/meta/errors.ts";
import type { Authenticate } from "../http/listener.ts";

/** Recognizes a bearer token, or answers undefined for one that is not its own. */
export type TokenAuthenticator = (token: string) => Promise<RequestUser | undefined>;

const anonymous: RequestUser = { name: "system:anonymous", groups: ["system:unauthenticated"] };

const authenticatedGroup = "system:authenticated";

/** A user of the groups given and of those every authenticated user is in. */
export const authenticated = (user: RequestUser): RequestUser => ({
  ...user,
  groups: user.groups.includes(authenticatedGroup) ? user.groups : [...user.groups, authenticatedGroup],
});

/**
 * Client certificate, then bearer token, then anonymous. A token that is nobody's is refused, never taken for
 * anonymous. A certificate is looked at once per connection.
 */
export function createAuthenticate(adminToken: string, serviceAccounts: TokenAuthenticator): Authenticate {
  const byConnection = new WeakMap<object, RequestUser>();
  const admin = authenticated({ name: "kubernetes-admin", groups: ["system:masters"] });
  return (request) => {
    const { socket } = request;
    const known = byConnection.get(socket);
    if (known) return known;
    const user = certificateUser(socket as TLSSocket);
    if (user) {
      byConnection.set(socket, user);
      return user;
    }
    const token = bearerToken(request);
    if (token === undefined) return anonymous;
    if (isSame(token, adminToken)) return admin;
    return serviceAccounts(token).then((found) => {
      if (!found) throw unauthorized();
      return found;
    });
  };
}

function certificateUser(socket: TLSSocket): RequestUser | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const name = subject?.CN;
  if (typeof name !== "string" || name === "") return undefined;
  const o: string | string[] | undefined = subject.O;
  return authenticated({ name, groups: o === undefined ? [] : [o].flat() });
}

/** The token of `Authorization: Bearer …`, or of the subprotocol browsers use on WebSockets. */
function bearerToken(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  const match = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? "");
  if (match) return match[1];
  const prefix = "base64url.bearer.authorization.k8s.io.";
  const protocol = (request.headers["sec-websocket-protocol"] ?? "").split(/\s*,\s*/).find((p) => p.startsWith(prefix));
  return protocol === undefined ? undefined : Buffer.from(protocol.slice(prefix.length), "base64url").toString();
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
