import { existsSync } from "node:fs";
import { relative } from "node:path";
import type { DevEvent } from "../functions/dev/dev-events.ts";
import { problemText } from "../functions/dev/error-page.ts";
import type { Workspace } from "../functions/build/find-functions.ts";
import type { Dev } from "../functions/dev/start-dev.ts";

export interface DevPrinterOptions {
  readonly print: (line: string) => void;
  readonly json: boolean;
  readonly color: boolean;
  /** Several functions: each line says whose it is. */
  readonly names: boolean;
}

export interface DevPrinter {
  readonly event: (event: DevEvent) => void;
  /** Where everything is, once it listens. */
  readonly start: (dev: Dev, workspace: Workspace, host: string) => void;
}

/** Prints what happens while developing: lines for a person, or one JSON object each. */
export function devPrinter(options: DevPrinterOptions): DevPrinter {
  const { print, json } = options;
  const say = lineMaker(options);
  return {
    event(event) {
      if (json) print(JSON.stringify({ at: new Date().toISOString(), ...event }));
      else for (const line of say(event)) print(line);
    },
    start(dev, workspace, host) {
      const base = `http://${host === "127.0.0.1" || host === "0.0.0.0" || host === "::" ? "localhost" : host}:${dev.port}`;
      const several = workspace.functions.length > 1;
      const facts = workspace.functions.map(({ source }, i) => ({
        name: source.name,
        url: several ? `${base}/${source.name}/` : `${base}/`,
        entry: source.entry,
        dir: source.dir,
        language: source.language,
        ...(dev.functions[i]?.inspectPort === undefined ? {} : { inspectPort: dev.functions[i].inspectPort }),
      }));
      if (json) {
        print(JSON.stringify({ at: new Date().toISOString(), type: "listening", port: dev.port, functions: facts }));
        return;
      }
      const width = Math.max(...facts.map((f) => f.name.length));
      for (const f of facts) {
        const file = shortPath(`${f.dir}/${f.entry}`);
        const debug = f.inspectPort === undefined ? "" : `   debugger on 127.0.0.1:${f.inspectPort}`;
        print(`${f.name.padEnd(width)}  ${paint(options, "bold", f.url)}   ${file}${debug}`);
      }
      print(paint(options, "dim", "Edits are live when saved. Ctrl-C ends."));
    },
  };
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

const paint = ({ color }: { readonly color: boolean }, style: keyof typeof codes, text: string): string =>
  color ? `\u001B[${codes[style]}m${text}\u001B[0m` : text;

function lineMaker(options: DevPrinterOptions): (event: DevEvent) => readonly string[] {
  const clock = (): string => paint(options, "dim", new Date().toTimeString().slice(0, 8));
  const own = (event: DevEvent): string => (options.names && event.function !== "" ? `${event.function}  ` : "");
  const head = (event: DevEvent): string => `${clock()}  ${own(event)}`;
  const because = new Map<string, string>();
  return (event) => {
    switch (event.type) {
      case "building":
        because.set(event.function, changedWords(event.changed));
        return [];
      case "progress":
        return [`${head(event)}${paint(options, "dim", event.message)}`];
      case "live": {
        const what = because.get(event.function) ?? "";
        const words =
          event.version === 1 ? `ready in ${event.ms.toFixed(0)} ms` : `${what}: live in ${event.ms.toFixed(0)} ms`;
        const warnings = event.warnings.map((text) => `${head(event)}${paint(options, "yellow", `warning: ${text}`)}`);
        return [`${head(event)}${paint(options, "green", words)}`, ...warnings];
      }
      case "broken": {
        const [first = "", ...rest] = problemText(event.problem);
        const serving =
          event.serving === undefined
            ? "nothing answers until it is mended"
            : "the last good version goes on answering";
        const lines = rest.map((line) => (line.startsWith(">") ? paint(options, "bold", line) : line));
        return [`${head(event)}${paint(options, "red", first)}`, ...lines, paint(options, "yellow", serving)];
      }
      case "unchanged": {
        const words = `${because.get(event.function) ?? ""}: mended in ${event.ms.toFixed(0)} ms`;
        return event.mended ? [`${head(event)}${paint(options, "green", words)}`] : [];
      }
      case "output":
        return [`${own(event)}${event.line}`];
      case "exited":
        return [
          `${head(event)}${paint(options, "red", `ended by ${event.how}`)}; the next request or edit starts it again`,
        ];
      case "request": {
        const style = event.status >= 500 ? "red" : event.status >= 400 ? "yellow" : "green";
        const ms = event.ms < 10 ? event.ms.toFixed(1) : event.ms.toFixed(0);
        return [`${head(event)}${event.method} ${event.path} ${paint(options, style, String(event.status))} ${ms} ms`];
      }
      default:
        return event satisfies never;
    }
  };
}

function changedWords(files: readonly string[]): string {
  // Editors and tools write beside a file and rename: what is gone again was not what the person saved.
  const left = files.filter((file) => existsSync(file));
  const names = [...new Set((left.length > 0 ? left : files).map(shortPath))];
  const shown = names.slice(0, 2).join(", ");
  return names.length > 2 ? `${shown} and ${names.length - 2} more` : shown || "started again";
}

/** From here where it is below here. */
function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}
