/**
 * MqttSource: a session that the broker keeps while the source is away. A message of QoS 1 is acknowledged when the sink
 * has it; what was not acknowledged comes again with the next connection.
 */
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import type { MqttSourceSpec } from "../../../api/sources/types-stores.gen.ts";
import { InFlight } from "../in-flight.ts";
import type { Resolved } from "../resolved-settings.ts";
import type { SourceContext, SourceReader } from "../source-reader.ts";
import { untilTaken } from "../until-taken.ts";
import { matchesTopic, mqttEvents } from "./mqtt-event.ts";

type Settings = Resolved<MqttSourceSpec> & { readonly url: string; readonly topics: readonly string[] };

const connectMs = 10_000;
const endMs = 3000;
const keepAliveSeconds = 30;
const defaultInFlight = 16;
/** Messages of QoS 0 that wait in memory; with more of them the connection is read no further. */
const mostWaiting = 1024;

export const mqttReader: SourceReader = {
  kind: "MqttSource",
  async open(given, context) {
    const settings = given as Settings;
    const session = new Session(settings, context);
    const client = await connect(settings, context, (made) => session.attach(made));
    client.on(
      "close",
      () => !context.signal.aborted && context.failed(new Error(`the connection to ${at(settings)} was lost`)),
    );
    try {
      await session.subscribe();
    } catch (error) {
      await ended(client);
      throw error;
    }
    return {
      async close({ forget }) {
        await session.idle();
        await ended(client);
        // The broker ends a session when its client comes back without wanting it.
        if (forget && !settings.clientId)
          await ended(await connect(settings, context, () => undefined, { clean: true, properties: {} }));
      },
    };
  },
};

/** Connects once. What the broker kept comes at once: `prepare` has the client before that. */
async function connect(
  settings: Settings,
  context: SourceContext,
  prepare: (client: MqttClient) => void,
  more: IClientOptions = {},
): Promise<MqttClient> {
  const client = mqtt.connect({
    ...addressOf(settings),
    ...optionsOf(settings, context),
    ...more,
    manualConnect: true,
  });
  prepare(client);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.once("connect", () => resolve());
  // Kept for errors that come later, too: they end in a close.
  client.on("error", reject);
  client.once("close", () => reject(new Error("it was closed")));
  client.connect();
  try {
    await promise;
    return client;
  } catch (error) {
    client.end(true);
    throw new Error(whyNot(settings, error), { cause: error });
  }
}

/** Taken apart here: the library's way to do that makes Node warn. */
function addressOf({ url }: Settings): IClientOptions {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const scheme = protocol.slice(0, -1) as "mqtt" | "mqtts" | "ws" | "wss";
  const usual = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;
  const host = hostname.replace(/^\[|\]$/g, "");
  return {
    protocol: scheme,
    host,
    port: Number(port || usual[scheme]),
    ...(scheme === "ws" || scheme === "wss" ? { path: `${pathname}${search}` } : {}),
  };
}

function optionsOf({ url: _url, tls, ...settings }: Settings, { uid }: SourceContext): IClientOptions {
  const isNew = settings.protocolVersion !== "3.1.1";
  const keeps = (settings.qos ?? 1) > 0;
  const { caCert, cert, key, skipVerify } = tls ?? {};
  return {
    clientId: settings.clientId || `ebb-${uid}`,
    protocolVersion: isNew ? 5 : 4,
    clean: !keeps,
    ...(isNew
      ? {
          properties: {
            receiveMaximum: settings.maxInFlight ?? defaultInFlight,
            ...(keeps ? { sessionExpiryInterval: settings.sessionExpirySeconds ?? 0 } : {}),
          },
        }
      : {}),
    ...(settings.username ? { username: settings.username } : {}),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(caCert === undefined ? {} : { ca: caCert }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(skipVerify ? { rejectUnauthorized: false } : {}),
    connectTimeout: connectMs,
    keepalive: keepAliveSeconds,
    // It is opened anew as a whole.
    reconnectPeriod: 0,
    resubscribe: false,
  };
}

/** A message that the broker waits for an acknowledgement of. */
interface Unacknowledged {
  readonly messageId: number;
  outcome: "waiting" | "taken" | "given back";
}

class Session {
  readonly #settings: Settings;
  readonly #context: SourceContext;
  readonly #inFlight: InFlight;
  /** As they came: MQTT wants acknowledgements in that order ([MQTT-4.6.0-2]). */
  readonly #unacknowledged: Unacknowledged[] = [];
  readonly #resume: (() => void)[] = [];
  #client: MqttClient | undefined;
  #waiting = 0;

  constructor(settings: Settings, context: SourceContext) {
    this.#settings = settings;
    this.#context = context;
    this.#inFlight = new InFlight(settings.maxInFlight ?? defaultInFlight);
  }

  attach(client: MqttClient): void {
    this.#client = client;
    client.handleMessage = (packet, done) => {
      this.#take(packet);
      // An error keeps the client from acknowledging, and from nothing else: it reads on, pings of the broker among it.
      const next = (): void => done(packet.qos > 0 ? new Error("acknowledged later") : undefined);
      if (this.#waiting < mostWaiting) next();
      else this.#resume.push(next);
    };
  }

  #take(packet: IPublishPacket): void {
    const { messageId, qos, topic } = packet;
    const open: Unacknowledged | undefined =
      qos > 0 && messageId !== undefined ? { messageId, outcome: "waiting" } : undefined;
    if (open) this.#unacknowledged.push(open);
    const settle = (isTaken: boolean): void => {
      if (!open) return;
      open.outcome = isTaken ? "taken" : "given back";
      this.#acknowledge();
    };
    // Of a topic that was taken out of the spec, kept by the session.
    if (!this.#settings.topics.some((filter) => matchesTopic(filter, topic))) return settle(true);
    this.#waiting += 1;
    void this.#inFlight.run(async () => {
      settle(await this.#deliver(packet));
      this.#waiting -= 1;
      if (this.#waiting < mostWaiting) this.#resume.shift()?.();
    });
  }

  async #deliver(packet: IPublishPacket): Promise<boolean> {
    if (this.#context.signal.aborted) return false;
    for (const event of mqttEvents(packet, this.#context)) if (!(await untilTaken(this.#context, event))) return false;
    return true;
  }

  #acknowledge(): void {
    while (this.#unacknowledged[0]?.outcome === "taken") {
      const { messageId } = this.#unacknowledged.shift() ?? { messageId: 0 };
      puback(this.#client, messageId);
    }
  }

  async subscribe(): Promise<void> {
    const { topics, shareGroup, qos = 1 } = this.#settings;
    const names = topics.map((topic) => (shareGroup ? `$share/${shareGroup}/${topic}` : topic));
    // What is retained comes with the first subscription only.
    const options = { qos: qos === 0 ? 0 : 1, ...(shareGroup ? {} : { rh: 1 }) } as const;
    const told = (topic: string, why: string): Error =>
      new Error(
        `${at(this.#settings)} does not let "${topic}" be read: ${why}; check spec.topics and the user's rights`,
      );
    try {
      const granted = (await this.#client?.subscribeAsync(names, options)) ?? [];
      for (const { topic, qos: code } of granted) if (code >= 128) throw told(topic, `code ${code}`);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith(at(this.#settings))) throw error;
      throw told(names.join(", "), error instanceof Error ? error.message : String(error));
    }
  }

  async idle(): Promise<void> {
    await this.#inFlight.idle();
  }
}

/** The client has no word for an acknowledgement that comes later. */
function puback(client: MqttClient | undefined, messageId: number): void {
  if (!client?.connected) return;
  const sender = client as unknown as { _sendPacket(packet: object): void };
  sender._sendPacket({ cmd: "puback", messageId, reasonCode: 0 });
}

/** Says good-bye, so that the broker knows at once. */
async function ended(client: MqttClient): Promise<void> {
  const end = client.endAsync().catch(() => undefined);
  await Promise.race([end, new Promise((resolve) => setTimeout(resolve, endMs).unref())]);
}

const at = ({ url }: Settings): string => `the MQTT broker at ${new URL(url).host}`;

/** CONNACK codes for a login that is refused: 4 and 5 of version 3.1.1, 134 and 135 of version 5. */
const loginRefused: ReadonlySet<unknown> = new Set([4, 5, 134, 135]);

function whyNot(settings: Settings, error: unknown): string {
  const { message = "", code = "" } = error as { readonly message?: string; readonly code?: string | number };
  const text = message || String(code) || String(error);
  if (loginRefused.has(code))
    return `${at(settings)} refused the login (${text}): check spec.username and spec.password`;
  if (code === 1 || code === 132) return `${at(settings)} does not speak this version: check spec.protocolVersion`;
  if (/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|timeout/i.test(`${text} ${code}`))
    return `${at(settings)} cannot be reached (${text}): check spec.url`;
  if (/certificate|self.signed|ssl|tls/i.test(`${text} ${code}`))
    return `no encrypted connection to ${at(settings)}: ${text}; check spec.tls and its caCert`;
  return `no connection to ${at(settings)}: ${text}`;
}
