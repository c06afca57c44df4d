import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import {
  CommandError,
  firstArg,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import { connect } from "../connect.ts";
import { namespaceOf } from "../find-service.ts";

const shells: Readonly<Record<string, (names: readonly string[]) => string>> = {
  bash: (names) => `_ebb() {
  local cur=\${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names.join(" ")}" -- "$cur"))
  else COMPREPLY=($(compgen -W "$(ebb completion --words "\${COMP_WORDS[1]}" --typed "$COMP_LINE" 2>/dev/null)" -- "$cur") $(compgen -f -- "$cur")); fi
}
complete -F _ebb ebb`,
  zsh: (names) => `#compdef ebb
_ebb() {
  if (( CURRENT == 2 )); then compadd -- ${names.join(" ")}
  else compadd -- \${(f)"$(ebb completion --words \${words[2]} --typed "\${words[*]}" 2>/dev/null | tr ' ' '\\n')"}; _files; fi
}
compdef _ebb ebb`,
  fish: (names) => `complete -c ebb -f -n __fish_use_subcommand -a "${names.join(" ")}"
complete -c ebb -n "not __fish_use_subcommand" -a "(ebb completion --words (commandline -opc)[2] --typed (commandline -p | string collect) 2>/dev/null | string split ' ')"`,
};

export const completion: Command = {
  name: "completion",
  summary: "print the completion script of a shell",
  args: [{ name: "<shell>", summary: `one of ${Object.keys(shells).join(", ")}` }],
  options: [
    { flags: "--words", summary: "print what may follow the command named: its options, and names of services" },
    {
      flags: "--typed <line>",
      summary: "with --words: the line so far, whose context and namespace have the services",
    },
  ],
  examples: ["source <(ebb completion bash)   # bash; put it into ~/.bashrc", "ebb completion fish | source"],
  run: async (context, input) => {
    const name = firstArg(input);
    if (input.options["words"] === true) {
      const command = context.commands.find((c) => c.name === name);
      const takesService = command?.args?.some((arg) => arg.name.startsWith("<service")) === true;
      const services = takesService ? await serviceNames(context, textOption(input, "typed") ?? "") : [];
      context.print([...wordsOf(command), ...services].join(" "));
      return;
    }
    const script = shells[name];
    if (!script)
      throw new CommandError(`no completion for "${name}"; there is one for ${Object.keys(shells).join(", ")}`, {
        exitCode: 2,
      });
    context.print(script(context.commands.filter((c) => !c.hidden).map((c) => c.name)));
  },
};

/** What may follow a command: its options, or the commands below it with theirs. */
function wordsOf(command: Command | undefined): readonly string[] {
  const options = (command?.options ?? []).flatMap((o) => /--[a-z-]+/.exec(o.flags) ?? []);
  const below = (command?.commands ?? []).flatMap((one) => [one.name, ...wordsOf(one)]);
  return [...new Set([...options, ...below])];
}

/** Nothing where no ebb runs: a Tab key has no place for complaints. */
async function serviceNames(context: CommandContext, typed: string): Promise<readonly string[]> {
  try {
    const input = { args: [], options: placeOf(typed) };
    const client = await connect(context, input);
    try {
      const { items } = await client.list(KnativeServiceKind, { namespace: namespaceOf(input, client) });
      return items.map((service) => service.metadata.name);
    } finally {
      await client.close();
    }
  } catch {
    return [];
  }
}

/** Options of a line that say where services are. The last word is still being typed. */
function placeOf(line: string): CommandInput["options"] {
  const words = line.split(/\s+/).slice(0, -1);
  const found: Record<string, string> = {};
  for (const [index, word] of words.entries()) {
    const [flag = "", value = words[index + 1]] = word.split("=", 2);
    const option = placeFlags.get(flag);
    if (option !== undefined && value !== undefined) found[option] = value;
  }
  return found;
}

const placeFlags: ReadonlyMap<string, string> = new Map([
  ["-n", "namespace"],
  ...["namespace", "context", "kubeconfig", "data"].map((name) => [`--${name}`, name] as const),
]);
