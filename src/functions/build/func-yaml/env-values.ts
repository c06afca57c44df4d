import type { SourceEnv, SourceEnvFrom } from "../source-settings.ts";
import type { Path, YamlReader } from "./yaml-reader.ts";

export type LocalEnv = Readonly<Record<string, string | undefined>>;

/** `{{ env:X }}`, `{{ secret:name:key }}`, `{{ configMap:name }}`, the whole value. */
const template = /^\{\{\s*(env|secret|configMap)\s*:\s*([^:\s}]+)\s*(?::\s*([^:\s}]+)\s*)?\}\}$/;
const envName = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

export interface EnvValues {
  readonly env: readonly SourceEnv[];
  readonly envFrom: readonly SourceEnvFrom[];
}

/** A list of `{name, value}` (sheet functions.md §2.1); `{{ env:X }}` is taken from the person's environment now. */
export function readEnvs(yaml: YamlReader, path: Path, local: LocalEnv): EnvValues {
  const env: SourceEnv[] = [];
  const envFrom: SourceEnvFrom[] = [];
  yaml.list(path).forEach((_, i) => {
    const at = [...path, i];
    const name = yaml.text([...at, "name"]);
    const value = yaml.text([...at, "value"]) ?? "";
    const from = template.exec(value);
    if (name === undefined) {
      const [, kind, object = "", key] = from ?? [];
      if (kind === undefined || kind === "env" || key !== undefined)
        throw yaml.fail(at, 'needs a name, or a value such as "{{ secret:name }}" that stands for a whole object');
      envFrom.push(kind === "secret" ? { secretRef: { name: object } } : { configMapRef: { name: object } });
      return;
    }
    if (!envName.test(name)) throw yaml.fail([...at, "name"], `is "${name}", which is no name of a variable`);
    env.push({ name, ...valueOf(yaml, at, value, local) });
  });
  return { env, envFrom };
}

type Value = { readonly value: string } | Pick<Extract<SourceEnv, { valueFrom: unknown }>, "valueFrom">;

function valueOf(yaml: YamlReader, at: Path, value: string, local: LocalEnv): Value {
  const from = template.exec(value);
  if (!from) {
    if (/^\{\{.*\}\}$/s.test(value))
      throw yaml.fail(
        [...at, "value"],
        `is "${value}": write {{ env:NAME }}, {{ secret:name:key }} or {{ configMap:name:key }}`,
      );
    return { value };
  }
  const [, kind, name = "", key] = from;
  if (kind === "env") return { value: fromLocal(yaml, [...at, "value"], name, local) };
  if (key === undefined)
    throw yaml.fail(
      [...at, "value"],
      `names no key of "${name}": write {{ ${kind}:${name}:key }}, or leave the name out`,
    );
  return { valueFrom: kind === "secret" ? { secretKeyRef: { name, key } } : { configMapKeyRef: { name, key } } };
}

/** Text in which the whole may be `{{ env:X }}`, as labels have it. */
export function resolveText(yaml: YamlReader, path: Path, local: LocalEnv): string {
  const value = yaml.text(path) ?? "";
  const [, kind, name = ""] = template.exec(value) ?? [];
  return kind === "env" ? fromLocal(yaml, path, name, local) : value;
}

function fromLocal(yaml: YamlReader, path: Path, name: string, local: LocalEnv): string {
  const found = local[name];
  if (found === undefined) throw yaml.fail(path, `wants the environment variable ${name}, which is not set here`);
  return found;
}
