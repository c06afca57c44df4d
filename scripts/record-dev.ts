/**
 * Records docs/guides/dev.cast, an asciicast v2 of a real session: `ebb dev` above, a shell that edits and calls below.
 * Needs tmux and script (util-linux). Run again when what the terminal shows has changed: node scripts/record-dev.ts
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "ebb-record-"));
const size = { width: 100, height: 34 };
const socket = join(work, "tmux");
const demo = join(work, "demo");
mkdirSync(demo);
// `ebb` and a plain prompt, whatever the machine's own shell looks like.
const bin = join(work, "bin");
mkdirSync(bin);
writeFileSync(join(bin, "ebb"), `#!/bin/sh\nexec '${process.execPath}' '${join(root, "bin/ebb.js")}' "$@"\n`, {
  mode: 0o755,
});
writeFileSync(join(work, "rc"), `PS1='$ '; cd '${demo}'\n`);
const env = {
  PATH: `${bin}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
  HOME: work,
  TERM: "xterm-256color",
  LANG: "C.UTF-8",
  EBB_DATA: join(work, "data"),
};

const tmux = (...args: readonly string[]): void => {
  const { status, stderr } = spawnSync("tmux", ["-S", socket, ...args], { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr}`);
};
const pause = (ms: number): Promise<void> => new Promise((done) => void setTimeout(done, ms));

/** Types like a person into the lower pane and waits for what it does. */
async function type(text: string, waitMs: number, pane = "1"): Promise<void> {
  for (const key of text) {
    tmux("send-keys", "-t", pane, "-l", key);
    await pause(18);
  }
  await pause(250);
  tmux("send-keys", "-t", pane, "Enter");
  await pause(waitMs);
}

const shell = `bash --noprofile --rcfile '${join(work, "rc")}' -i`;
const inner = `stty rows ${size.height} cols ${size.width}; exec tmux -S '${socket}' -f /dev/null new-session "${shell}" \\; set status off \\; set pane-border-style fg=colour240 \\; set pane-active-border-style fg=colour240`;
const terminal = spawn("script", ["-qefc", inner, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
const started = performance.now();
const events: string[] = [];
terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
  events.push(JSON.stringify([Number(((performance.now() - started) / 1000).toFixed(3)), "o", text]));
});
try {
  await pause(1500);
  await type("ebb new hello && cd hello", 1500, "0");
  tmux("split-window", "-v", "-l", "12", shell);
  await type("cd hello && clear", 300);
  await type("ebb dev", 2500, "0");
  tmux("select-pane", "-t", "1");
  await type('curl "localhost:3000/?name=you"', 900);
  await type("sed -i 's/Hello/Good morning/' index.ts", 900);
  await type('curl "localhost:3000/?name=you"', 1200);
  await type("sed -i 's/: Response {/: Response {{/' index.ts      # a broken edit", 1500);
  await type('curl -i "localhost:3000/?name=you"', 2500);
  await type("sed -i 's/{{/{/' index.ts", 900);
  await type('curl "localhost:3000/?name=you"', 1500);
  tmux("send-keys", "-t", "0", "C-c");
  await pause(1500);
} finally {
  tmux("kill-server");
  await once(terminal, "exit");
  rmSync(work, { recursive: true, force: true });
}
const head = { version: 2, ...size, title: "ebb dev", env: { TERM: "xterm-256color", SHELL: "/bin/bash" } };
writeFileSync(join(root, "docs/guides/dev.cast"), `${[JSON.stringify(head), ...events].join("\n")}\n`);
