/** The house rules of docs/architecture.md that a linter cannot know: which room may import which, and no cycles. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const src = resolve(import.meta.dirname, "../src");

/** Arrows: a room may import itself, these rooms, and (types only) telemetry/logger.ts. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  api: [],
  images: [],
  pki: [],
  client: ["api"],
  apiserver: ["api", "pki"],
  scaling: ["api"],
  telemetry: ["api"],
  functions: ["api", "images", "pki"],
  controllers: ["api", "client", "scaling", "images", "pki"],
  router: ["api", "client", "scaling", "pki"],
  node: ["api", "client", "images", "functions", "pki"],
  events: ["api", "client"],
  workflows: ["api", "client", "events"],
  dialects: ["api", "client", "functions", "images"],
  cli: ["client", "main", "api", "functions", "images", "scaling", "telemetry", "pki", "install"],
  install: ["api", "client", "images", "pki"],
  main: ["*"],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join(src, file));

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found: Import[] = [];
  for (const match of text.matchAll(/(?:^|\n)(import|export)( type)?[^;]*? from "(\.[^"]+)"/g)) {
    found.push({ from: file, to: resolve(dirname(file), match[3] ?? ""), typeOnly: match[2] !== undefined });
  }
  for (const match of text.matchAll(/import\("(\.[^"]+)"\)/g)) {
    found.push({ from: file, to: resolve(dirname(file), match[1] ?? ""), typeOnly: false });
  }
  return found;
}

const room = (file: string): string => relative(src, file).split("/")[0] ?? "";
const imports = files.flatMap(importsOf);

test("every import follows an arrow of the design", () => {
  const forbidden = imports
    .filter(({ from, to, typeOnly }) => {
      const [a, b] = [room(from), room(to)];
      if (a === b || mayImport[a]?.includes("*") || mayImport[a]?.includes(b)) return false;
      if (typeOnly && to.endsWith("telemetry/logger.ts")) return false;
      return !(from.endsWith(".test.ts") && b === "api");
    })
    .map(({ from, to }) => `${relative(src, from)} → ${relative(src, to)}`);
  expect(forbidden).toEqual([]);
});

test("no files import each other in a circle", () => {
  const graph = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly) graph.set(from, [...(graph.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file))
      circles.push([...path.slice(path.indexOf(file)), file].map((f) => relative(src, f)).join(" → "));
    if (done.has(file) || path.includes(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test("deciders read no clock, randomness or I/O", () => {
  const guilty = files
    .filter((file) => relative(src, file).startsWith("scaling/") && !file.endsWith(".test.ts"))
    .filter((file) =>
      /Date\.now|Math\.random|setTimeout|setInterval|from "node:|process\./.test(readFileSync(file, "utf8")),
    )
    .map((file) => relative(src, file));
  expect(guilty).toEqual([]);
});

test("process.env is read in main, cli and the hosts only", () => {
  // The site's server is no part of ebb but of the images it builds.
  const allowed = /^(main|cli)\/|^functions\/hosts\/|^functions\/languages\/static\/site-server\.ts$|\.test\.ts$/;
  const guilty = files
    .map((file) => relative(src, file))
    .filter((file) => !allowed.test(file) && /process\.env/.test(readFileSync(join(src, file), "utf8")));
  expect(guilty).toEqual([]);
});

test("deploy/ says what its sources say", () => {
  const script = resolve(src, "../scripts/gen-deploy.ts");
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
