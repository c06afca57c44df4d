/** `npm run bench [name…] [-- --option…]`: runs the benchmarks one after another, each in a process of its own. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const notBenchmarks = new Set(["run.ts", "report.ts", "sleeping-services.ts", "bare-nodes.ts", "events-server.ts"]);
const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !notBenchmarks.has(file))
  .map((file) => file.slice(0, -3));
const given = process.argv.slice(2);
const firstOption = given.findIndex((argument) => argument.startsWith("-"));
/** For the benchmarks that are named before them. */
const options = firstOption === -1 ? [] : given.slice(firstOption);
const wanted = given.slice(0, given.length - options.length);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark "${unknown.join('", "')}"; there are ${all.join(", ")}`);
  process.exit(2);
}
let failed = 0;
for (const name of wanted.length > 0 ? wanted : all) {
  const done = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...options], { stdio: "inherit" });
  if (done.status !== 0) failed += 1;
}
process.exit(failed > 0 ? 1 : 0);
