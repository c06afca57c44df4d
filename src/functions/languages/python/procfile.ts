import { SourceError } from "../../build/source.ts";
import type { FunctionModel } from "../../hosts/protocol.ts";

/** What the `web` process of a Procfile starts. */
export interface ProcfileEntry {
  readonly entry: string;
  readonly model?: FunctionModel;
  readonly target?: string;
  readonly reason: string;
}

const servers = /^(?:python3? -m )?(uvicorn|gunicorn|hypercorn|daphne|waitress-serve)\b/;

/**
 * Reads `web: …` of a Procfile: a Python program, or an application given to a server that ebb's own host stands in for.
 * Undefined without such a line. Throws SourceError for commands of other kinds.
 */
export function readProcfile(text: string): ProcfileEntry | undefined {
  const line = /^web:\s*(.+)$/m.exec(text)?.[1]?.trim();
  if (line === undefined) return undefined;
  const found = asServer(line) ?? asProgram(line);
  if (!found)
    throw new SourceError(
      `Procfile: cannot run "${line}": known are a Python file, uvicorn, gunicorn, hypercorn, functions-framework and parliament`,
    );
  return { ...found, reason: `Procfile runs "${line}"` };
}

type Found = Omit<ProcfileEntry, "reason">;

function asServer(line: string): Found | undefined {
  const server = servers.exec(line)?.[1];
  if (server === undefined) return undefined;
  const application = /(?:^|\s)([\w.]+):([\w.]+(?:\(\))?)(?:\s|$)/.exec(line.slice(server.length));
  if (!application) throw new SourceError(`Procfile: "${line}" names no application such as "main:app"`);
  const [, module = "", target = ""] = application;
  const asgi = ["uvicorn", "hypercorn", "daphne"].includes(server) || line.includes("UvicornWorker");
  return { entry: `${module.replaceAll(".", "/")}.py`, model: asgi ? "asgi" : "wsgi", target };
}

function asProgram(line: string): Found | undefined {
  if (/^python3? -m parliament\b/.test(line)) return { entry: "func.py", model: "knative" };
  const program = /^python3? (?:-u )?([\w./-]+\.py)\b/.exec(line)?.[1];
  if (program !== undefined) return { entry: program, model: "server" };
  if (!/^(?:python3? -m )?functions[-_]framework\b/.test(line)) return undefined;
  const target = /--target[= ](\w+)/.exec(line)?.[1];
  const entry = /--source[= ](\S+)/.exec(line)?.[1] ?? "main.py";
  return { entry, model: "functions-framework", ...(target === undefined ? {} : { target }) };
}
