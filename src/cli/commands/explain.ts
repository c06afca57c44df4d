import { PodAutoscalerKind } from "../../api/autoscaling-internal/kinds.ts";
import { conditionOf } from "../../api/serving/conditions.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import { explainDecision } from "../../scaling/explain.ts";
import { lastDecisionAnnotation, parseRecordedDecision } from "../../scaling/recorded-decision.ts";
import { CommandError, firstArg, type Command } from "../command.ts";
import { connect } from "../connect.ts";
import { findService, namespaceOf } from "../find-service.ts";
import { jsonOption, namespaceOption, targetOptions } from "../target.ts";

export const explain: Command = {
  name: "explain",
  summary: "say in words why a service has the instances it has",
  args: [{ name: "<service>", summary: "name of the Service" }],
  options: [namespaceOption, jsonOption, ...targetOptions],
  examples: ["ebb explain hello"],
  run: async (context, input) => {
    const client = await connect(context, input);
    const name = firstArg(input);
    const namespace = namespaceOf(input, client);
    const service = await findService(client, namespace, name);
    const revisions = [...new Set((service.status?.traffic ?? []).flatMap((t) => t.revisionName ?? []))];
    if (revisions.length === 0)
      throw new CommandError(`"${name}" has no revision with traffic yet; "ebb get" shows why`);
    for (const revision of revisions) {
      const pa = await client.get(PodAutoscalerKind, { namespace, name: revision });
      const record = parseRecordedDecision(pa.metadata.annotations?.[lastDecisionAnnotation]);
      if (input.options["json"] === true) {
        context.print(
          JSON.stringify({
            revision,
            desired: pa.status?.desiredScale,
            actual: pa.status?.actualScale,
            decision: record,
          }),
        );
        continue;
      }
      context.print(`${revision}: ${pa.status?.actualScale ?? 0} instances, ${pa.status?.desiredScale ?? 0} wanted`);
      const lines = record
        ? explainDecision(record)
        : ["no decision was needed yet: nobody has called since it became ready"];
      for (const line of lines) context.print(`  ${line}`);
      const unhealthy = conditionOf(await client.get(RevisionKind, { namespace, name: revision }), "InstancesHealthy");
      if (unhealthy?.status === "False") context.print(`  ${unhealthy.reason}: ${unhealthy.message}`);
    }
  },
};
