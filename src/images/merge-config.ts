import type { RunConfig } from "./oci.ts";

/** Nobody in particular: the user of programs that need no rights. */
const nobodyInParticular = "65532";

/**
 * How a program over a base is started: its own words where it has them. Variables and labels are added to the base's;
 * the base's command goes with its entrypoint as soon as one of the two is given. Root is never inherited.
 */
export function mergeConfig(base: RunConfig, own: RunConfig): RunConfig {
  const { Entrypoint, Cmd, ...rest } = base;
  const starts = own.Entrypoint !== undefined || own.Cmd !== undefined;
  const labels = { ...base.Labels, ...own.Labels };
  const ports = { ...base.ExposedPorts, ...own.ExposedPorts };
  const env = mergeEnv(base.Env ?? [], own.Env ?? []);
  return {
    ...rest,
    ...(starts || Entrypoint === undefined ? {} : { Entrypoint }),
    ...(starts || Cmd === undefined ? {} : { Cmd }),
    ...own,
    User: own.User ?? (isRoot(base.User) ? nobodyInParticular : (base.User ?? nobodyInParticular)),
    ...(env.length > 0 ? { Env: env } : {}),
    ...(Object.keys(labels).length > 0 ? { Labels: sorted(labels) } : {}),
    ...(Object.keys(ports).length > 0 ? { ExposedPorts: sorted(ports) } : {}),
  };
}

/** The base's order; a variable that both have gets the program's value. */
function mergeEnv(base: readonly string[], own: readonly string[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const entry of [...base, ...own]) byName.set(entry.split("=", 1)[0] ?? "", entry);
  return [...byName.values()];
}

function isRoot(user: string | undefined): boolean {
  return user === undefined || /^(|0|root)(:.*)?$/.test(user);
}

function sorted<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
