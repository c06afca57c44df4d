import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { findPython } from "../../../src/functions/hosts/find-python.ts";
import { pythonHostCommand } from "../../../src/functions/hosts/host-command.ts";
import type { FunctionModel } from "../../../src/functions/hosts/protocol.ts";
import { pythonProgram } from "../../../src/functions/hosts/python-program.ts";
import { startHost } from "../../../src/functions/pool/host-process.ts";
import type { Trait } from "./cases.ts";
import { hostUnderTest } from "./host-under-test.ts";
import { runModelConformance, type ServedModel } from "./model-conformance.ts";

interface PythonModel {
  readonly fixture: string;
  /** Else it is told from the module: that this works is part of the suite. */
  readonly model?: FunctionModel;
  readonly signature?: string;
  readonly traits: readonly Trait[];
}

const http = ["request", "headers", "status", "response-headers", "bytes"] as const;
const large = [...http, "large", "concurrent"] as const;

const models: readonly PythonModel[] = [
  { fixture: "asgi", traits: [...large, "limits", "streams", "cancels", "checks-answers"] },
  { fixture: "wsgi", traits: [...large, "limits", "streams", "checks-answers"] },
  { fixture: "knative", traits: [...large, "limits", "cancels", "checks-answers"] },
  { fixture: "knative-event", model: "knative", signature: "cloudevent", traits: ["events", "events-only"] },
  { fixture: "functions-framework", traits: [...large, "limits", "json", "streams", "cancels", "checks-answers"] },
  { fixture: "functions-framework-event", traits: ["events", "events-only"] },
  { fixture: "cloudevents", traits: ["events", "events-only"] },
  { fixture: "lambda", traits: [...http, "json", "checks-answers"] },
  { fixture: "server", model: "server", traits: [...large, "streams"] },
];

const fixtures = join(import.meta.dirname, "fixtures/python");
const python = await findPython("/usr/local/bin:/usr/bin:/bin");

async function start(one: PythonModel, more: Readonly<Record<string, string>>): Promise<ServedModel> {
  const command = pythonHostCommand(python?.path ?? "", pythonProgram(join(tmpdir(), "ebb-test-cache")));
  const env = { PATH: "/usr/bin:/bin" };
  const host = startHost({ command, env, spawned: () => undefined, now: () => Date.now() }, "direct");
  let text = "";
  for (const pipe of [host.stdout, host.stderr]) pipe.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const cwd = join(fixtures, one.fixture);
  const { port } = await host.claim({
    entry: join(cwd, entryOf(cwd)),
    model: one.model ?? "auto",
    ...(one.signature === undefined ? {} : { signature: one.signature }),
    env: { ...env, ...more },
    cwd,
    modulePaths: [join(fixtures, "shared")],
    loadTimeoutMs: 10_000,
  });
  return hostUnderTest(host, port, () => text);
}

/** The one file, or the package that is a folder. */
function entryOf(cwd: string): string {
  const names = readdirSync(cwd);
  return names.find((name) => name.endsWith(".py")) ?? "function/__init__.py";
}

describe.skipIf(!python)("the Python host", () => {
  for (const one of models)
    runModelConformance({ name: one.fixture, traits: one.traits, start: (env = {}) => start(one, env) });
});
