import type { LookupAddress, LookupOptions } from "node:dns";

type Done = (error: null, found: string | LookupAddress[], family?: number) => void;

/**
 * Names below `localhost` are this machine (RFC 6761 §6.3), which not every system's resolver knows. They are how a
 * function reaches what ebb serves on the same machine: another function, the broker that K_SINK names.
 */
export function resolveLocalhostNames(): void {
  const dns = process.getBuiltinModule("node:dns");
  const system = dns.lookup;
  const lookup = (name: string, options: LookupOptions | number | Done, callback?: Done): void => {
    const done = typeof options === "function" ? options : callback;
    if (!done || typeof name !== "string" || !/\.localhost\.?$/i.test(name))
      return (system as (...args: unknown[]) => void)(...(callback ? [name, options, callback] : [name, options]));
    const asked = typeof options === "object" ? options : { family: typeof options === "number" ? options : 0 };
    const isSix = asked.family === 6 || asked.family === "IPv6";
    const found = isSix ? { address: "::1", family: 6 } : { address: "127.0.0.1", family: 4 };
    process.nextTick(() => (asked.all === true ? done(null, [found]) : done(null, found.address, found.family)));
  };
  // With what util.promisify looks for.
  Object.defineProperties(lookup, Object.getOwnPropertyDescriptors(system));
  dns.lookup = lookup as typeof dns.lookup;
}
