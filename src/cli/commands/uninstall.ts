import { clusterOptions, connectCluster } from "../cluster/connect-cluster.ts";
import { waitingOf, waitOption } from "../cluster/waiting.ts";
import type { Command } from "../command.ts";
import { createProgress } from "../progress.ts";

export const uninstall: Command = {
  name: "uninstall",
  summary: "take ebb off a Kubernetes cluster",
  description:
    "Removes controller, router, roles and webhooks. The kinds, users' objects of them and the settings stay, and what runs goes on running with the scale it has: nothing routes to it or scales it until ebb is installed again. With --delete-data the kinds go too, and with them every Service, Revision and DomainMapping of the cluster.",
  options: [
    { flags: "--delete-data", summary: "delete the kinds too, and all objects of them in every namespace" },
    waitOption,
    ...clusterOptions,
  ],
  examples: ["ebb uninstall --context prod", "ebb uninstall --delete-data"],
  run: async (context, input) => {
    const progress = createProgress({ terminal: undefined, note: context.note, color: false });
    const client = await connectCluster(context, input);
    try {
      const { uninstall: run } = await import("../../install/apply/uninstall.ts");
      const deleteData = input.options["deleteData"] === true;
      const { removed, kept } = await run(client, deleteData, waitingOf(context, input, progress));
      context.print(removed === 0 ? "ebb is not installed on this cluster" : `removed ${removed} objects`);
      if (kept.length > 0) context.print(`kept ${kept.length} that hold data of users; --delete-data deletes them too`);
    } finally {
      await client.close();
    }
  },
};
