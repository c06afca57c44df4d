/**
 * Whether a provider signed a request: GitHub (docs: validating webhook deliveries), Stripe (docs: check webhook signatures
 * manually), GitLab (secret token), Slack (verifying requests), Standard Webhooks 1.0 and Svix, and plain HMACs.
 * Everything secret is compared in constant time.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { WebhookVerification } from "../../../api/sources/types-stores.gen.ts";
import type { Resolved } from "../resolved-settings.ts";
import type { WebhookRequest } from "./webhook-front.ts";

export type Verification = Resolved<WebhookVerification>;

/** Why a request is not believed; undefined when it is. What is said helps nobody to forge one. */
export function whyForged(verification: Verification, request: WebhookRequest, nowMs: number): string | undefined {
  const { scheme, secret, previousSecret } = verification;
  if (scheme === "none") return undefined;
  const secrets = [secret, previousSecret].filter((one): one is string => one !== undefined && one !== "");
  if (secrets.length === 0) return "the source has no secret";
  const read = readers[scheme ?? ""]?.(verification, request);
  if (read === undefined) return "its signature is missing or not understood";
  if (read.atSeconds !== undefined) {
    const off = Math.abs(nowMs / 1000 - read.atSeconds);
    if (!(off <= (verification.toleranceSeconds ?? 300))) return "it was signed too long ago, or a clock is wrong";
  }
  const isSigned = secrets.some((one) => {
    const wanted = read.signature(one);
    // All of them are compared, so that time tells nothing.
    return read.given.map((given) => isSame(given, wanted)).some(Boolean);
  });
  return isSigned ? undefined : "its signature is not that of the secret";
}

/** A signature as it came, and how it is made. */
interface Signed {
  readonly given: readonly Buffer[];
  /** When it was signed, for schemes that say so. */
  readonly atSeconds?: number;
  signature(secret: string): Buffer;
}

type Reader = (verification: Verification, request: WebhookRequest) => Signed | undefined;

const readers: Readonly<Record<string, Reader>> = {
  github: (_, { headers, body }) => {
    const given = hexAfter(textOf(headers["x-hub-signature-256"]), "sha256=");
    return given && { given: [given], signature: (secret) => mac("sha256", secret, [body]) };
  },
  gitlab: (_, { headers }) => plainToken(textOf(headers["x-gitlab-token"]), ""),
  token: ({ header = "", prefix = "" }, { headers }) => plainToken(textOf(headers[header.toLowerCase()]), prefix),
  stripe: (_, { headers, body }) => {
    const parts = (textOf(headers["stripe-signature"]) ?? "").split(",").map((part) => part.trim().split("=", 2));
    const at = parts.find(([name]) => name === "t")?.[1];
    const given = parts.filter(([name]) => name === "v1").flatMap(([, hex]) => hexAfter(hex, "") ?? []);
    if (at === undefined || given.length === 0) return undefined;
    return { given, atSeconds: secondsOf(at), signature: (secret) => mac("sha256", secret, [`${at}.`, body]) };
  },
  slack: (_, { headers, body }) => {
    const at = textOf(headers["x-slack-request-timestamp"]);
    const given = hexAfter(textOf(headers["x-slack-signature"]), "v0=");
    if (at === undefined || !given) return undefined;
    return {
      given: [given],
      atSeconds: secondsOf(at),
      signature: (secret) => mac("sha256", secret, [`v0:${at}:`, body]),
    };
  },
  standard: (_, { headers, body }) => {
    const header = (name: string): string | undefined => textOf(headers[`webhook-${name}`] ?? headers[`svix-${name}`]);
    const [id, at, signatures = ""] = [header("id"), header("timestamp"), header("signature")];
    const given = signatures
      .split(" ")
      .filter((one) => one.startsWith("v1,"))
      .map((one) => Buffer.from(one.slice(3), "base64"));
    if (id === undefined || at === undefined || given.length === 0) return undefined;
    const keyOf = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    return {
      given,
      atSeconds: secondsOf(at),
      signature: (secret) => mac("sha256", keyOf(secret), [`${id}.${at}.`, body]),
    };
  },
  hmac: ({ header = "", prefix = "", algorithm = "sha256", encoding = "hex" }, { headers, body }) => {
    const text = textOf(headers[header.toLowerCase()]);
    if (text === undefined || !text.startsWith(prefix)) return undefined;
    const given = encoding === "hex" ? hexAfter(text, prefix) : Buffer.from(text.slice(prefix.length), "base64");
    return given && { given: [given], signature: (secret) => mac(algorithm, secret, [body]) };
  },
};

/** A secret that is sent as it is. Its length tells nothing when hashes are compared. */
function plainToken(text: string | undefined, prefix: string): Signed | undefined {
  if (text === undefined || !text.startsWith(prefix)) return undefined;
  const hashed = (token: string): Buffer => mac("sha256", "token", [token]);
  return { given: [hashed(text.slice(prefix.length))], signature: hashed };
}

function mac(algorithm: string, key: string | Buffer, parts: readonly (string | Buffer)[]): Buffer {
  const made = createHmac(algorithm, key);
  for (const part of parts) made.update(part);
  return made.digest();
}

const isSame = (given: Buffer, wanted: Buffer): boolean =>
  given.length === wanted.length && timingSafeEqual(given, wanted);

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0];

function hexAfter(text: string | undefined, prefix: string): Buffer | undefined {
  if (text === undefined || !text.startsWith(prefix)) return undefined;
  const hex = text.slice(prefix.length).trim();
  return /^(?:[0-9a-f]{2})+$/i.test(hex) ? Buffer.from(hex, "hex") : undefined;
}

/** NaN is within no tolerance. */
const secondsOf = (text: string): number => (/^\d{1,12}$/.test(text) ? Number(text) : Number.NaN);
