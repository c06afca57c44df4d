import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { promisify } from "node:util";
import type { ImageStore } from "../store.ts";
import { makeBase, type MadeBase } from "./base-image.ts";

/** A base with the given Node as `/usr/local/bin/node`, and what it loads. */
export async function makeNodeBase(store: ImageStore, nodePath: string): Promise<MadeBase> {
  const program = await realpath(nodePath);
  const { stdout } = await promisify(execFile)(program, ["--version"]);
  const version = stdout.trim().replace(/^v/, "");
  return await makeBase(store, {
    repository: "dev.local/base/node",
    version,
    programs: [program],
    files: [{ path: "usr/local/bin/node", content: "", file: program, mode: 0o755 }],
    config: { Env: [`NODE_VERSION=${version}`, "NODE_ENV=production"], Cmd: ["node"] },
  });
}
