import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rehearsalName, rehearsals } from "./node/rehearse.ts";

/** The host of this machine, and the one that waits in a pod. */
export type NodeProgram = "node" | "node-wait";

const entryPoints: Readonly<Record<NodeProgram, string>> = { node: "node/main.ts", "node-wait": "node/wait.ts" };

/**
 * Path of the Node host as one file of plain JavaScript, since stripping types would cost each start 50 ms and each
 * further file one: the built one when there is one beside this file (dist), else bundled once from the sources into
 * `cacheDir`, under a name made from their contents.
 */
export async function hostProgram(name: NodeProgram, cacheDir: string): Promise<string> {
  const built = join(import.meta.dirname, "hosts", `${name}.cjs`);
  if (existsSync(built)) return built;
  mkdirSync(cacheDir, { recursive: true });
  writeRehearsals(cacheDir);
  const hash = createHash("sha256");
  for (const file of sources(name)) hash.update(file).update("\0").update(readFileSync(file));
  const into = join(cacheDir, `host-${name}-${hash.digest("hex").slice(0, 16)}.cjs`);
  if (existsSync(into)) return into;
  writeWhole(into, await bundleHost(name));
  return into;
}

/** Puts the functions that a host tries itself out with (node/rehearse.ts) beside its program. */
export function writeRehearsals(dir: string): void {
  const text = "export default { fetch: (request) => new Response(new URL(request.url).pathname) };\n";
  for (let round = 0; round < rehearsals; round++) writeWhole(join(dir, rehearsalName(round)), text);
}

/** Written aside and renamed, so that a crash or a second writer never leaves half a file behind. */
function writeWhole(file: string, text: string): void {
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, text);
  renameSync(aside, file);
}

/** Everything a host program may be made of: itself, the models, the event formats, and what unpacks claims. */
function sources(name: NodeProgram): readonly string[] {
  const hosts = import.meta.dirname;
  const own = [hosts, join(hosts, "../models"), join(hosts, "../../api/cloudevents")];
  const waiting = name === "node-wait" ? [join(hosts, "../../images"), join(hosts, "../../pki")] : [];
  return [...own, ...waiting].flatMap((dir) =>
    readdirSync(dir, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => join(dir, file)),
  );
}

/** The host's sources as one script; also what the build puts into dist as `hosts/<name>.cjs`. */
export async function bundleHost(name: NodeProgram): Promise<string> {
  // Loaded only here: a started ebb finds the result in its cache.
  const { build, stop } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entryPoints[name])],
    bundle: true,
    platform: "node",
    // Saves 5 ms of processor time against a module: the loader for those starts with the function, not before.
    format: "cjs",
    target: "node24",
    write: false,
    logLevel: "silent",
  });
  // Its helper process would stay for as long as this one.
  await stop();
  const [file] = outputFiles;
  if (!file) throw new Error(`bundling the ${name} host gave nothing`);
  return file.text;
}
