/**
 * `npm run test:cluster`: the end-to-end tests that have a home, and the faults of test/cluster, against the cluster of
 * KUBECONFIG, on which ebb is installed. Arguments go to the test runner. docs/testing-on-a-cluster.md says what it
 * needs; what a variable is missing for is skipped and listed at the end.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { faultHands } from "../test/cluster/hands.ts";

const root = join(import.meta.dirname, "..");
const env = process.env;
const missing = ["KUBECONFIG", "EBB_TEST_REGISTRY"].filter((name) => !env[name]);
if (missing.length > 0) {
  console.error(`set ${missing.join(" and ")}; docs/testing-on-a-cluster.md says to what`);
  process.exit(2);
}

/** Files whose tests open a home: those that start an ebb of their own are for one machine. */
const withHome = readdirSync(join(root, "test/e2e"))
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join("test/e2e", name))
  .filter((file) => readFileSync(join(root, file), "utf8").includes("openHome("));
const wanted = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    // One file at a time: faults must not meet the tests of others.
    "--no-file-parallelism",
    // Images travel, and containers start.
    "--testTimeout=180000",
    "--hookTimeout=120000",
    ...(wanted.length > 0 ? wanted : [...withHome, "test/cluster"]),
  ],
  { cwd: root, stdio: "inherit", env: { ...env, EBB_TEST_HOME: "cluster" } },
);
for (const { variable, what } of faultHands)
  if (!env[variable]) console.log(`NOT TESTED: ${what}; ${variable} is not set`);
process.exit(status ?? 1);
