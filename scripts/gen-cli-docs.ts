/** Writes docs/reference/cli.md from the commands' own facts. `--check` writes nothing and fails when the page is stale. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../src/cli/command.ts";
import { loadCommands } from "../src/cli/commands.ts";

const commands = await loadCommands();
const page = join(import.meta.dirname, "../docs/reference/cli.md");

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function sections(command: Command, path = ""): readonly string[] {
  const name = `${path}${command.name}`;
  if (command.commands) return command.commands.flatMap((below) => sections(below, `${name} `));
  return [section(command, name)];
}

function section(command: Command, name: string): string {
  const args = (command.args ?? []).map((arg) => ` ${arg.name}`).join("");
  const lines = [`## ebb ${name}${args}`, "", `${command.description ?? `${command.summary}.`}`, ""];
  const rows = [
    ...(command.args ?? []).map((arg) => [`\`${arg.name}\``, arg.summary]),
    ...(command.options ?? []).map((o) => {
      const fallback = typeof o.default === "string" ? ` (default \`${o.default}\`)` : "";
      return [`\`${o.flags}\``, cell(o.summary) + fallback];
    }),
  ];
  if (rows.length > 0) lines.push("| | |", "|---|---|", ...rows.map(([a, b]) => `| ${a} | ${b} |`), "");
  if (command.examples) lines.push("```console", ...command.examples.map((e) => `$ ${e}`), "```", "");
  return lines.join("\n");
}

const text = `# The command line

Written from the commands themselves by \`npm run gen\`; do not edit.

In a clone the command is \`./ebb\`; installed it is \`npx ebb\` or \`ebb\`. Every command but \`up\` talks to the ebb on the data directory (\`--data\`, \`EBB_DATA\`, \`~/.ebb\`), or to a cluster with \`--kubeconfig\` and \`--context\`. What a command prints goes to standard output, progress and hints to standard error.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed; the message says why and what to do |
| 2 | used wrongly |
| 127 | \`kubectl\`: there is none |
| 130 | stopped by Ctrl-C |

${commands.flatMap((command) => sections(command)).join("\n")}`;

const old = existsSync(page) ? readFileSync(page, "utf8") : "";
if (old !== text) {
  if (process.argv.includes("--check")) {
    console.error(`stale: ${page}; run "npm run gen"`);
    process.exit(1);
  }
  writeFileSync(page, text);
}
