import { existsSync } from "node:fs";
import { join } from "node:path";
import { folderFiles } from "../../build/folder-files.ts";
import { functionLabels } from "../../build/labels.ts";
import type { Found, Language, Packed } from "../../build/language.ts";
import type { FunctionSource } from "../../build/source.ts";

const entries = ["app.py", "main.py", "server.py"];

/** Python programs that listen on PORT. */
export const pythonLanguage: Language = {
  name: "python",
  extensions: [".py"],
  looksFor: entries.join(", "),
  detectFolder(dir): Found | undefined {
    const entry = entries.find((file) => existsSync(join(dir, file)));
    return entry === undefined ? undefined : { entry, reasons: [`found ${entry}`] };
  },
  detectFile: (_dir, entry) => ({ entry, reasons: [`${entry} is a Python program`] }),
  pack,
};

async function pack(source: FunctionSource): Promise<Packed> {
  const files = await folderFiles(source.dir);
  const labels = { [functionLabels.model]: "server" };
  const config = { Cmd: ["python3", "-u", source.entry], WorkingDir: "/app", User: "65532", Labels: labels };
  return { layers: [{ kind: "files", files }], config, warnings: [] };
}
