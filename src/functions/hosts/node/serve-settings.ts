import { functionModels, type FunctionModel } from "../protocol.ts";
import { LoadError } from "./load-error.ts";
import type { LoadRequest } from "./load.ts";

export interface ServeSettings extends LoadRequest {
  readonly port: number;
  readonly host: string;
  readonly loadTimeoutMs: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Each setting's flag, and the variable that is asked when the flag is absent. */
const settings = {
  entry: "EBB_ENTRY",
  model: "EBB_MODEL",
  target: "EBB_TARGET",
  signature: "EBB_SIGNATURE",
  port: "PORT",
  host: "EBB_HOST",
  "load-timeout": "EBB_LOAD_TIMEOUT",
} as const;
type Setting = keyof typeof settings;

const usage =
  "usage: node node.cjs serve ENTRY [--model MODEL] [--target NAME] [--signature KIND] [--port 8080] " +
  "[--host 0.0.0.0] [--load-timeout SECONDS]; each also as EBB_ENTRY, EBB_MODEL, …, and PORT";

/**
 * What `serve` is told: flags first, then environment, then defaults: port 8080 on all addresses, model `auto`, a
 * minute to load. Throws LoadError with the usage for what cannot be meant.
 */
export function readServeSettings(args: readonly string[], env: Env, cwd: string): ServeSettings {
  const flags = readFlags(args);
  const get = (name: Setting): string | undefined => {
    const value = flags.get(name) ?? env[settings[name]];
    return value === "" ? undefined : value;
  };
  const entry = get("entry");
  if (entry === undefined) throw wrong("no entry module is given");
  const [target, signature] = [get("target"), get("signature")];
  return {
    entry: process.getBuiltinModule("node:path").resolve(cwd, entry),
    model: toModel(get("model") ?? "auto"),
    ...(target === undefined ? {} : { target }),
    ...(signature === undefined ? {} : { signature }),
    env: withoutHoles(env),
    port: toNumber("port", get("port") ?? "8080", 65_535),
    host: get("host") ?? "0.0.0.0",
    loadTimeoutMs: toNumber("load-timeout", get("load-timeout") ?? "60", 3600) * 1000,
  };
}

function readFlags(args: readonly string[]): ReadonlyMap<Setting, string> {
  const flags = new Map<Setting, string>();
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (!word.startsWith("--")) {
      if (flags.has("entry")) throw wrong(`"${word}" is one module too many`);
      flags.set("entry", word);
      continue;
    }
    const [name = "", given] = word.slice(2).split(/=(.*)/s);
    if (!Object.hasOwn(settings, name)) throw wrong(`there is no flag --${name}`);
    const value = given ?? args[++i];
    if (value === undefined) throw wrong(`--${name} needs a value`);
    flags.set(name as Setting, value);
  }
  return flags;
}

function toModel(text: string): FunctionModel {
  const model = functionModels.find((one) => one === text);
  if (model === undefined) throw wrong(`there is no model "${text}": known are ${functionModels.join(", ")}`);
  return model;
}

function toNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw wrong(`${name} must be a whole number from 1 to ${most}, not "${text}"`);
  return value;
}

const withoutHoles = (env: Env): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));

const wrong = (what: string): LoadError => new LoadError("NoHandler", `${what}\n${usage}`);
