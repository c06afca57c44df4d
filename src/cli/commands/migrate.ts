import { createInterface } from "node:readline/promises";
import { NamespaceKind } from "../../api/core/kinds.ts";
import { KnativeServiceKind } from "../../api/serving/kinds.ts";
import type { Service } from "../../api/serving/types.gen.ts";
import { baseFlags } from "../base-images.ts";
import { registryFlags } from "../cluster/cluster-registry.ts";
import {
  CommandError,
  durationOption,
  textOption,
  type Command,
  type CommandContext,
  type CommandInput,
} from "../command.ts";
import { differenceText } from "../migrate/differences.ts";
import type { End } from "../migrate/homes.ts";
import type { Plan, Step } from "../migrate/plan.ts";
import { createProgress } from "../progress.ts";
import { dataDirOf, jsonOption } from "../target.ts";
import { waitForReady } from "../wait-for-ready.ts";

export const migrate: Command = {
  name: "migrate",
  summary: "copy services, their config and secrets to another home",
  description:
    "Copies Services, the ConfigMaps and Secrets they read, and their images from one home to another: standalone is the ebb of this machine, any other word a context of the kubeconfig. Shows first what would be made, what is there already and where it differs; what differs is overwritten only with --overwrite. Nothing is taken away from where it came. Returns when the services are ready there.",
  args: [
    { name: "<from>", summary: "standalone, or a context" },
    { name: "<to>", summary: "standalone, or a context" },
    { name: "[service...]", summary: "names of Services (default: all of the namespace)" },
  ],
  options: [
    { flags: "-n, --namespace <name>", summary: "namespace they are in (default: the context's, else default)" },
    { flags: "--to-namespace <name>", summary: "namespace they go to (default: the same)" },
    { flags: "-y, --yes", summary: "do it without asking" },
    { flags: "--overwrite", summary: "change objects that are there already and differ" },
    { flags: "--dry-run", summary: "show the plan and change nothing" },
    ...registryFlags,
    ...baseFlags,
    { flags: "--insecure", summary: "registries: trust any certificate, and speak plain HTTP where there is no TLS" },
    { flags: "--ca <file>", summary: "registries: trust the certificates in this file, besides the usual ones" },
    { flags: "--wait <duration>", summary: "how long it may take until they are ready", default: "60s" },
    { flags: "--kubeconfig <file>", summary: "kubeconfig of the contexts (default: KUBECONFIG, ~/.kube/config)" },
    { flags: "--data <dir>", summary: "data directory of standalone, and of images (EBB_DATA; default ~/.ebb)" },
    { ...jsonOption, summary: "print the plan as JSON" },
  ],
  examples: [
    "ebb migrate standalone prod hello --registry ghcr.io/me --dry-run",
    "ebb migrate stage prod --namespace shop --yes",
    "ebb migrate stage prod hello --registry registry.prod.example.com/functions",
    "ebb migrate prod standalone hello",
  ],
  run: async (context, input) => {
    const [fromName = "", toName = "", ...names] = input.args;
    if (fromName === toName) throw new CommandError(`${fromName} is both ends; name two homes`, { exitCode: 2 });
    const waitMs = durationOption(input, "wait") ?? 60_000;
    const [{ openEnd }, { planMigration }, { openImageStore }] = await Promise.all([
      import("../migrate/homes.ts"),
      import("../migrate/plan.ts"),
      import("../../images/store.ts"),
    ]);
    const from = await openEnd(context, input, fromName);
    const to = await openEnd(context, input, toName);
    const store = openImageStore(`${dataDirOf(context, input)}/images`);
    const progress = createProgress({ terminal: undefined, note: context.note, color: false });
    try {
      const namespace = textOption(input, "namespace") ?? from.client.config.namespace;
      const toNamespace = textOption(input, "toNamespace") ?? namespace;
      const moving = { context, input, store, progress, from, to };
      const plan = await planMigration(moving, { names, namespace, toNamespace });
      show(context, input, plan, to);
      if (input.options["dryRun"] === true || !(await agreed(context, input, plan, to))) return;
      await carryOut(context, plan, to, waitMs);
    } finally {
      store.close();
      await from.client.close();
      await to.client.close();
    }
  },
};

const marks: Readonly<Record<Step["outcome"], string>> = { create: "+", unchanged: "=", differs: "~" };

function show(context: CommandContext, input: CommandInput, plan: Plan, to: End): void {
  if (input.options["json"] === true) {
    const steps = plan.steps.map(({ manifest, outcome, differences }) => {
      const secret = manifest.kind === "Secret";
      const lines = differences.map((one) => differenceText(one, secret));
      return { kind: manifest.kind, name: manifest.metadata.name, outcome, differences: lines };
    });
    const images = plan.steps.flatMap(({ image, outcome }) =>
      image?.how === undefined || outcome === "unchanged" ? [] : [{ image: image.image, how: image.how }],
    );
    const { namespace, makesNamespace, left } = plan;
    context.print(JSON.stringify({ to: to.name, namespace, makesNamespace, steps, images, left }));
    return;
  }
  context.print(`to ${to.name}, namespace ${plan.namespace}:`);
  if (plan.makesNamespace) context.print(`  + Namespace ${plan.namespace}`);
  for (const { manifest, outcome, differences, image } of plan.steps) {
    context.print(
      `  ${marks[outcome]} ${manifest.kind} ${manifest.metadata.name}${outcome === "create" ? "" : ` (${words[outcome]})`}`,
    );
    for (const one of differences) context.print(`      ${differenceText(one, manifest.kind === "Secret")}`);
    if (image?.how !== undefined && outcome !== "unchanged") context.print(`      image ${image.how}`);
  }
  for (const line of plan.left) context.print(`  stays: ${line}`);
}

const words: Readonly<Record<Step["outcome"], string>> = {
  create: "is made",
  unchanged: "is there already, the same",
  differs: "is there already, and differs",
};

/** Whether to go on; throws where nobody can be asked, or where something would be overwritten unsaid. */
async function agreed(context: CommandContext, input: CommandInput, plan: Plan, to: End): Promise<boolean> {
  const differing = plan.steps.filter(({ outcome }) => outcome === "differs");
  const [first] = differing;
  if (first && input.options["overwrite"] !== true)
    throw new CommandError(
      `${differing.length === 1 ? `${first.manifest.kind} ${first.manifest.metadata.name} is` : `${differing.length} objects are`} at ${to.name} already and ${differing.length === 1 ? "differs" : "differ"}: --overwrite changes ${differing.length === 1 ? "it" : "them"}; nothing was changed`,
    );
  if (input.options["yes"] === true) return true;
  if (context.stdin.isTTY !== true)
    throw new CommandError("nobody is here to be asked; --yes goes on, --dry-run only looks", { exitCode: 2 });
  const asking = createInterface({ input: context.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`go on? [y/N] `, { signal: context.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}

async function carryOut(context: CommandContext, plan: Plan, to: End, waitMs: number): Promise<void> {
  const { client } = to;
  for (const { image, outcome } of plan.steps) if (outcome !== "unchanged") await image?.copy();
  if (plan.makesNamespace) await client.create(NamespaceKind, { metadata: { name: plan.namespace } });
  const services: Service[] = [];
  for (const { kind, manifest, outcome } of plan.steps) {
    const { name, namespace } = manifest.metadata;
    if (outcome === "unchanged") continue;
    const patch = { type: "apply", body: manifest } as const;
    // Asked for: the plan showed what differs, and --overwrite was given.
    const applied = await client.patch(kind, { name, namespace }, patch, {
      fieldManager: "ebb-migrate",
      force: outcome === "differs",
    });
    if (kind === KnativeServiceKind) services.push(applied as unknown as Service);
    else context.print(`${manifest.kind} ${name} is ${outcome === "create" ? "made" : "changed"}`);
  }
  await Promise.all(
    services.map(async (service) => {
      const ready = await waitForReady(client, service, { signal: context.signal, waitMs, tell: context.note });
      context.print(`${ready.metadata.name} is ready at ${ready.status?.url}`);
    }),
  );
}
