import { basename, resolve } from "node:path";
import { CommandError, textOption, type Command } from "../command.ts";
import { jsonOption } from "../target.ts";

export const newCommand: Command = {
  name: "new",
  summary: "begin a new function from a template",
  description:
    "Writes a small function with a test and a README into a new folder. There is a template for every language and programming model; --list shows them. What is there already is never overwritten.",
  args: [{ name: "[folder]", summary: "folder to make; its last part is the function's name" }],
  options: [
    { flags: "-l, --language <name>", summary: "typescript, javascript, python, go, …", default: "typescript" },
    { flags: "-m, --model <name>", summary: "fetch, cloudevents, lambda, … (default: the language's own way)" },
    { flags: "--list", summary: "list the templates" },
    jsonOption,
  ],
  examples: ["ebb new hello", "ebb new orders -l python -m cloudevents", "ebb new --list"],
  run: async (context, input) => {
    const { listTemplates, writeNewFunction } = await import("../../functions/new/templates.ts");
    const json = input.options["json"] === true;
    if (input.options["list"] === true) {
      const all = listTemplates();
      if (json) context.print(JSON.stringify(all, undefined, 2));
      else for (const t of all) context.print(`${t.language.padEnd(12)}${t.model.padEnd(22)}${t.summary}`);
      return;
    }
    const [folder] = input.args;
    if (folder === undefined)
      throw new CommandError('name the folder to make, as in "ebb new hello"; --list shows the templates', {
        exitCode: 2,
      });
    const dir = resolve(folder);
    const model = textOption(input, "model");
    const { template, files } = writeNewFunction({
      dir,
      name: basename(dir),
      language: textOption(input, "language") ?? "typescript",
      ...(model === undefined ? {} : { model }),
      now: new Date(),
    });
    if (json) {
      context.print(JSON.stringify({ name: basename(dir), dir, ...template, files }));
      return;
    }
    context.print(`${folder}: ${template.summary} (${template.language}, ${template.model})`);
    for (const file of files) context.print(`  ${file}`);
    context.note(`\nNext:\n  cd ${folder}\n  ebb dev\n  ${template.test.join(" ")}`);
  },
};
