import { readQuantity } from "../api/meta/quantity.ts";
import type { SourceEnv } from "../functions/build/source-settings.ts";
import type { FunctionSettings } from "../functions/deploy/make-function-service.ts";
import { CommandError, listOption, numberOption, textOption, type CommandInput, type Option } from "./command.ts";

/** Options of `ebb deploy` that end up in the Service. */
export const functionFlags: readonly Option[] = [
  { flags: "-e, --env <NAME=value>", summary: "environment variable; may be repeated", repeat: true },
  { flags: "--secret <NAME=secret:key>", summary: "environment variable from a Secret; may be repeated", repeat: true },
  { flags: "--memory <quantity>", summary: "memory one instance may use, such as 256Mi" },
  { flags: "--cpu <quantity>", summary: "processors one instance may use, such as 500m or 2" },
  { flags: "--min <n>", summary: "instances kept when nobody calls (default 0)" },
  { flags: "--max <n>", summary: "instances at most (default: no limit)" },
  { flags: "--concurrency <n>", summary: "requests one instance takes at once (default: no limit)" },
  { flags: "--timeout <seconds>", summary: "longest request (default 300)" },
  { flags: "--port <n>", summary: "port the program listens on when it cannot read PORT" },
  { flags: "--label <name=value>", summary: "label of the Service and its instances; may be repeated", repeat: true },
  { flags: "--annotation <name=value>", summary: "annotation; may be repeated", repeat: true },
];

/** What the flags say; only what was given. Throws a CommandError with exit code 2 naming the flag. */
export function readFunctionFlags(input: CommandInput): FunctionSettings {
  const env: readonly SourceEnv[] = [
    ...pairs(input, "env").map(([name, value]) => ({ name, value })),
    ...pairs(input, "secret").map(([name, value]) => secretEnv(name, value)),
  ];
  const limits = present({ memory: quantityOption(input, "memory"), cpu: quantityOption(input, "cpu") });
  const labels = Object.fromEntries(pairs(input, "label"));
  const annotations = Object.fromEntries(pairs(input, "annotation"));
  return present({
    minScale: numberOption(input, "min", 0),
    maxScale: numberOption(input, "max", 0),
    concurrency: numberOption(input, "concurrency", 0),
    timeoutSeconds: numberOption(input, "timeout", 1),
    port: numberOption(input, "port", 1),
    env: env.length > 0 ? env : undefined,
    limits: Object.keys(limits).length > 0 ? limits : undefined,
    labels: Object.keys(labels).length > 0 ? labels : undefined,
    annotations: Object.keys(annotations).length > 0 ? annotations : undefined,
  });
}

function pairs(input: CommandInput, flag: string): readonly (readonly [string, string])[] {
  return listOption(input, flag).map((text) => {
    const at = text.indexOf("=");
    const shape = flag === "secret" ? "NAME=secret:key" : flag === "env" ? "NAME=value" : "name=value";
    if (at <= 0) throw new CommandError(`--${flag}: "${text}" is not ${shape}`, { exitCode: 2 });
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
}

function secretEnv(name: string, reference: string): SourceEnv {
  const at = reference.lastIndexOf(":");
  if (at <= 0 || at === reference.length - 1)
    throw new CommandError(`--secret: "${name}=${reference}" is not NAME=secret:key`, { exitCode: 2 });
  return { name, valueFrom: { secretKeyRef: { name: reference.slice(0, at), key: reference.slice(at + 1) } } };
}

function quantityOption(input: CommandInput, flag: string): string | undefined {
  const text = textOption(input, flag);
  if (text === undefined) return undefined;
  if (!readQuantity(text).ok)
    throw new CommandError(`--${flag}: "${text}" is not a quantity such as ${flag === "cpu" ? "500m or 2" : "256Mi"}`, {
      exitCode: 2,
    });
  return text;
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
