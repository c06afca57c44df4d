import type { Finding } from "../../install/doctor/finding.ts";
import { clusterOptions, connectCluster } from "../cluster/connect-cluster.ts";
import type { Command } from "../command.ts";
import { jsonOption } from "../target.ts";

const marks: Readonly<Record<Finding["level"], string>> = { fine: "ok  ", hint: "hint", problem: "FAIL" };

export const doctor: Command = {
  name: "doctor",
  summary: "find what is wrong with ebb on a Kubernetes cluster",
  description:
    "Looks at a cluster with the eyes of somebody who has seen it fail: versions and nodes, clocks, who owns ebb's kinds, controller and router, permissions, webhooks that do not answer or are left over, the metrics API, DNS, addresses and domains. Changes nothing. Exit code 1 when something does not work.",
  options: [jsonOption, ...clusterOptions],
  examples: ["ebb doctor", "ebb doctor --context prod --json"],
  run: async (context, input) => {
    const client = await connectCluster(context, input);
    try {
      const { examine } = await import("../../install/doctor/examine.ts");
      const findings: Finding[] = [];
      for await (const finding of examine({ client, now: Date.now, signal: context.signal })) {
        findings.push(finding);
        if (input.options["json"] === true) continue;
        context.print(`${marks[finding.level]}  ${finding.what}`);
        if (finding.advice !== undefined) context.print(`      → ${finding.advice}`);
      }
      if (input.options["json"] === true) context.print(JSON.stringify(findings, undefined, 2));
      return findings.some(({ level }) => level === "problem") ? 1 : 0;
    } finally {
      await client.close();
    }
  },
};
