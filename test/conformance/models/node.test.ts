import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeHostCommand } from "../../../src/functions/hosts/host-command.ts";
import { hostProgram } from "../../../src/functions/hosts/host-program.ts";
import type { FunctionModel } from "../../../src/functions/hosts/protocol.ts";
import { startHost } from "../../../src/functions/pool/host-process.ts";
import type { Trait } from "./cases.ts";
import { hostUnderTest } from "./host-under-test.ts";
import { runModelConformance, type ServedModel } from "./model-conformance.ts";

interface NodeModel {
  readonly model: FunctionModel;
  /** How it is claimed; `auto` unless its exports cannot tell. */
  readonly claimedAs?: FunctionModel;
  /** The fixture's folder and name, where they are not the model's. */
  readonly fixture?: string;
  /** The folder, where several share one. */
  readonly folder?: string;
  readonly target?: string;
  readonly signature?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly traits: readonly Trait[];
}

const http = ["request", "headers", "status", "response-headers", "bytes", "large", "cancels", "concurrent"] as const;

const models: readonly NodeModel[] = [
  { model: "fetch", traits: [...http, "limits", "json", "streams", "checks-answers", "events"] },
  { model: "fetch", fixture: "fetch-methods", traits: [...http, "json", "streams", "checks-answers"] },
  { model: "fetch", fixture: "fetch-listener", traits: [...http, "json", "streams", "checks-answers"] },
  { model: "node-http", traits: [...http, "limits", "streams"] },
  { model: "server", traits: [...http, "streams"] },
  {
    model: "knative",
    env: { FUNC_BODY_LIMIT: "30000000" },
    traits: [...http, "limits", "json", "checks-answers", "events"],
  },
  {
    model: "functions-framework",
    claimedAs: "functions-framework",
    target: "http",
    traits: [...http, "limits", "json", "streams"],
  },
  {
    model: "functions-framework",
    claimedAs: "functions-framework",
    fixture: "functions-framework",
    target: "events",
    traits: ["events", "events-only"],
  },
  {
    model: "lambda",
    traits: ["request", "headers", "status", "response-headers", "bytes", "json", "checks-answers", "events"],
  },
  {
    model: "lambda",
    fixture: "lambda-callback",
    traits: ["request", "headers", "status", "response-headers", "bytes", "json", "checks-answers", "events"],
  },
  {
    model: "lambda",
    fixture: "lambda-streaming",
    traits: ["request", "headers", "status", "response-headers", "bytes", "streams"],
  },
  { model: "stdio", claimedAs: "stdio", traits: ["request", "headers", "bytes", "large", "concurrent"] },
  {
    model: "stdio",
    claimedAs: "stdio",
    fixture: "stdio-streaming",
    folder: "stdio",
    env: { mode: "streaming" },
    traits: ["streams", "large"],
  },
  {
    model: "stdio",
    claimedAs: "stdio",
    fixture: "stdio-http",
    env: { mode: "http" },
    traits: ["request", "headers", "status", "response-headers", "bytes", "large"],
  },
  {
    model: "lambda-runtime",
    claimedAs: "lambda-runtime",
    traits: ["request", "headers", "status", "response-headers", "bytes", "json", "checks-answers", "events"],
  },
  {
    model: "lambda-runtime",
    claimedAs: "lambda-runtime",
    fixture: "lambda-runtime-concurrent",
    folder: "lambda-runtime",
    env: { AWS_LAMBDA_MAX_CONCURRENCY: "5" },
    traits: ["concurrent"],
  },
  { model: "cloudevents", traits: ["events", "events-only"] },
];

const fixtures = join(import.meta.dirname, "fixtures/node");

async function start(
  one: NodeModel,
  model: FunctionModel,
  more: Readonly<Record<string, string>>,
): Promise<ServedModel> {
  const host = startHost(
    {
      command: nodeHostCommand(process.execPath, await hostProgram("node", join(tmpdir(), "ebb-test-cache"))),
      env: { PATH: "/usr/bin:/bin" },
      spawned: () => undefined,
      now: () => Date.now(),
    },
    "direct",
  );
  let text = "";
  for (const pipe of [host.stdout, host.stderr]) pipe.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const cwd = join(fixtures, one.folder ?? one.fixture ?? one.model);
  const entry =
    ["index.mjs", "index.cjs", "index", "bootstrap"].map((name) => join(cwd, name)).find((file) => existsSync(file)) ??
    cwd;
  const { port } = await host.claim({
    entry,
    model,
    ...(one.target === undefined ? {} : { target: one.target }),
    ...(one.signature === undefined ? {} : { signature: one.signature }),
    env: { PATH: "/usr/bin:/bin", ...one.env, ...more },
    cwd,
    loadTimeoutMs: 10_000,
  });
  return hostUnderTest(host, port, () => text);
}

/** Nearly all fixtures are started as `auto`: that their exports are recognised is part of the suite. */
for (const one of models)
  runModelConformance({
    name: `${one.fixture ?? one.model}${one.target === undefined ? "" : ` (${one.target})`}`,
    traits: one.traits,
    start: (env = {}) => start(one, one.claimedAs ?? "auto", env),
  });
