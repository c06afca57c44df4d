import { ImageError } from "../image-error.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";

export interface TokenRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Asks a token server for what the challenge and the task need (distribution's token and OAuth 2 specifications): GET,
 * with a password as basic authentication, or POST with a refresh token.
 */
export function tokenRequest(
  challenge: Extract<Challenge, { scheme: "bearer" }>,
  scope: string,
  credentials: Credentials | undefined,
): TokenRequest {
  const scopes = [...new Set(`${challenge.scope ?? ""} ${scope}`.split(" ").filter(Boolean))];
  const url = new URL(challenge.realm);
  if (credentials?.kind === "identity-token") {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      client_id: "ebb",
      refresh_token: credentials.token,
      scope: scopes.join(" "),
      ...(challenge.service === undefined ? {} : { service: challenge.service }),
    });
    return {
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: form.toString(),
    };
  }
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
  for (const one of scopes) url.searchParams.append("scope", one);
  const authorization = credentials && basic(credentials.username, credentials.password);
  return { method: "GET", url, headers: authorization === undefined ? {} : { authorization } };
}

export function tokenIn(body: string, host: string): string {
  let found: { readonly token?: string; readonly access_token?: string } = {};
  try {
    found = JSON.parse(body) as typeof found;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const token = found.token ?? found.access_token;
  if (token === undefined || token === "")
    throw new ImageError("protocol", `the token server ${host} answered without a token: ${body.slice(0, 100)}`);
  return token;
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
