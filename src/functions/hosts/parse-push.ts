import { functionModels, pushVersion, type FunctionModel, type PushedClaim, type PushedLayer } from "./protocol.ts";

/** A claim's head is a claim's head: an environment of some megabytes, no code. */
export const maxHeadBytes = 8 << 20;

export interface MalformedPush {
  readonly reason: "Malformed" | "WrongVersion";
  readonly message: string;
}

/** Reads the line that begins a claim; says what is wrong with it, by field. */
export function parsePush(line: string): PushedClaim | MalformedPush {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return malformed(`the first line is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(value) || value["type"] !== "claim") return malformed('the first line is no message of type "claim"');
  if (value["version"] !== pushVersion)
    return {
      reason: "WrongVersion",
      message: `this host takes claims of version ${pushVersion}, not ${JSON.stringify(value["version"])}`,
    };
  const wrong = wrongField(value);
  return wrong === undefined
    ? (value as unknown as PushedClaim)
    : malformed(`${wrong} is missing or not what it should be`);
}

function wrongField(push: Readonly<Record<string, unknown>>): string | undefined {
  if (push["host"] !== "node" && push["host"] !== "python") return "host";
  if (push["runtime"] !== undefined && typeof push["runtime"] !== "string") return "runtime";
  if (!Array.isArray(push["layers"]) || !push["layers"].every(isLayer)) return "layers";
  const { claim } = push;
  return isRecord(claim) ? wrongClaimField(claim) : "claim";
}

function wrongClaimField(claim: Readonly<Record<string, unknown>>): string | undefined {
  const { env, modulePaths, loadTimeoutMs } = claim;
  for (const name of ["entry", "cwd"] as const) if (!isPath(claim[name])) return `claim.${name}`;
  for (const name of ["target", "signature"] as const)
    if (claim[name] !== undefined && typeof claim[name] !== "string") return `claim.${name}`;
  if (!functionModels.includes(claim["model"] as FunctionModel)) return "claim.model";
  if (!isRecord(env) || !Object.values(env).every((one) => typeof one === "string")) return "claim.env";
  if (modulePaths !== undefined && !isStrings(modulePaths)) return "claim.modulePaths";
  return typeof loadTimeoutMs === "number" && loadTimeoutMs > 0 ? undefined : "claim.loadTimeoutMs";
}

const isPath = (value: unknown): boolean =>
  typeof value === "string" && value.startsWith("/") && !value.split("/").includes("..");

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === "string");

function isLayer(value: unknown): value is PushedLayer {
  if (!isRecord(value)) return false;
  const { digest, size } = value;
  return (
    typeof digest === "string" &&
    /^sha256:[0-9a-f]{64}$/.test(digest) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0
  );
}

const malformed = (message: string): MalformedPush => ({ reason: "Malformed", message });
