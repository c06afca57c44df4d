import type { Command } from "./command.ts";

/** Every command by its name, in the order of the help. Each brings its rooms with it, so only the one asked for is loaded. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import("./commands/up.ts")).up,
  new: async () => (await import("./commands/new.ts")).newCommand,
  dev: async () => (await import("./commands/dev.ts")).dev,
  build: async () => (await import("./commands/build.ts")).build,
  deploy: async () => (await import("./commands/deploy.ts")).deploy,
  invoke: async () => (await import("./commands/invoke.ts")).invoke,
  call: async () => (await import("./commands/call.ts")).call,
  trigger: async () => (await import("./commands/trigger.ts")).trigger,
  events: async () => (await import("./commands/events/events.ts")).events,
  get: async () => (await import("./commands/get.ts")).get,
  describe: async () => (await import("./commands/describe.ts")).describe,
  logs: async () => (await import("./commands/logs.ts")).logs,
  exec: async () => (await import("./commands/exec.ts")).exec,
  "port-forward": async () => (await import("./commands/port-forward.ts")).portForward,
  explain: async () => (await import("./commands/explain.ts")).explain,
  migrate: async () => (await import("./commands/migrate.ts")).migrate,
  rollback: async () => (await import("./commands/rollback.ts")).rollback,
  delete: async () => (await import("./commands/delete.ts")).deleteCommand,
  image: async () => (await import("./commands/image/image.ts")).image,
  kubectl: async () => (await import("./commands/kubectl.ts")).kubectl,
  completion: async () => (await import("./commands/completion.ts")).completion,
  run: async () => (await import("./commands/run.ts")).run,
  install: async () => (await import("./commands/install.ts")).install,
  upgrade: async () => (await import("./commands/install.ts")).upgrade,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  uninstall: async () => (await import("./commands/uninstall.ts")).uninstall,
  start: async () => (await import("./commands/start.ts")).start,
};

/** All commands. */
export async function loadCommands(): Promise<readonly Command[]> {
  return await Promise.all(Object.values(loaders).map((load) => load()));
}

/** What the words after `ebb` need: one command, none for the version, all for help, completion and typing errors. */
export async function loadCommandsFor(words: readonly string[]): Promise<readonly Command[]> {
  const [first = ""] = words;
  if (first === "--version" || first === "-V") return [];
  const load = first === "completion" || !Object.hasOwn(loaders, first) ? undefined : loaders[first];
  return load ? [await load()] : await loadCommands();
}
