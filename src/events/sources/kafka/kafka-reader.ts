/** KafkaSource: members of a consumer group, whose offsets are committed when the sink has the events. */
import { Admin, findErrorBy } from "@platformatic/kafka";
import { sleep } from "../../../client/clock.ts";
import type { DeliveryOutcome, SourceContext, SourceReader } from "../source-reader.ts";
import { kafkaEvents, type TopicRecord } from "./kafka-event.ts";
import { KafkaMember } from "./kafka-member.ts";
import { clientOptions, explain, type KafkaSettings } from "./kafka-settings.ts";

/** Groups that are made for a source alone begin so, and go with it. */
const ownGroupPrefix = "knative-kafka-source-";
const forgetMs = 5000;

export const kafkaReader: SourceReader = {
  kind: "KafkaSource",
  leftBehind(given) {
    const { consumerGroup, bootstrapServers } = given as KafkaSettings;
    if (!consumerGroup.startsWith(ownGroupPrefix)) return undefined;
    return `kafka-consumer-groups.sh --bootstrap-server ${bootstrapServers[0] ?? "HOST"} --delete --group ${consumerGroup}`;
  },
  async open(given, context) {
    const settings = given as KafkaSettings;
    const members: KafkaMember[] = [];
    const close = (): Promise<unknown> => Promise.all(members.map((member) => member.close()));
    try {
      for (let index = 0; index < (settings.consumers ?? 1); index += 1) {
        const member = new KafkaMember(index, {
          context,
          settings,
          deliver: (record, signal) => deliver(context, settings, record, signal),
          failed: (error) => context.failed(new Error(explain(settings, error), { cause: error })),
        });
        members.push(member);
        await member.open();
      }
    } catch (error) {
      await close();
      throw new Error(explain(settings, error), { cause: error });
    }
    return {
      async close({ forget }) {
        await close();
        if (forget && settings.consumerGroup.startsWith(ownGroupPrefix)) await removeGroup(settings, context);
      },
    };
  },
};

async function deliver(
  context: SourceContext,
  settings: KafkaSettings,
  record: TopicRecord,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const facts = { source: context.sourceOf(), keyType: settings.keyType ?? "string" };
  for (const event of kafkaEvents(record, facts, context.log))
    if ((await context.deliver(event, { signal })) === "refused") return "refused";
  return "delivered";
}

async function removeGroup(settings: KafkaSettings, { clock }: SourceContext): Promise<void> {
  const admin = new Admin(clientOptions(settings, "ebb"));
  try {
    const limit = AbortSignal.timeout(2 * forgetMs);
    const late = sleep(clock, forgetMs, limit).then(() => {
      throw new Error("Kafka did not answer in time");
    });
    await Promise.race([admin.deleteGroups({ groups: [settings.consumerGroup] }), late]);
  } catch (error) {
    if (error instanceof Error && findErrorBy(error, "apiId", "GROUP_ID_NOT_FOUND")) return;
    throw new Error(explain(settings, error), { cause: error });
  } finally {
    await admin.close();
  }
}
