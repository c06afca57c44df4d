import { parseArgs } from "node:util";
import { claimPort, hostTokenFile } from "../protocol.ts";

export interface WaitSettings {
  /** Where the function will serve. */
  readonly port: number;
  readonly claimPort: number;
  readonly appDir: string;
  /** Has the token that says which pod this is; its keeper replaces it from time to time. */
  readonly tokenFile: string;
  readonly ca: string;
  readonly maxBytes: number;
  readonly stallMs: number;
}

/** The variable with the certificates that vouch for claimers. They are no secret. */
export const caVariable = "EBB_CLAIM_CA";

/** What `wait` is told. Throws with the usage for what cannot be meant. */
export function readWaitSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): WaitSettings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: "string", default: env["PORT"] ?? "8080" },
      "claim-port": { type: "string", default: String(claimPort) },
      app: { type: "string", default: "/app" },
      token: { type: "string", default: hostTokenFile },
      "max-bytes": { type: "string", default: String(2 ** 31) },
      "stall-ms": { type: "string", default: "10000" },
    },
  });
  const ca = env[caVariable];
  if (!ca) throw new Error(`${caVariable} is to hold the certificates that vouch for claimers`);
  return {
    port: toNumber("port", values.port),
    claimPort: toNumber("claim-port", values["claim-port"]),
    appDir: values.app,
    tokenFile: values.token,
    ca,
    maxBytes: toNumber("max-bytes", values["max-bytes"]),
    stallMs: toNumber("stall-ms", values["stall-ms"]),
  };
}

function toNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} must be a whole number, not "${text}"`);
}
