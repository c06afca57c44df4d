/** A KafkaSource's spec as the client's options, and the client's errors in words for who wrote the spec. */
import { isIP } from "node:net";
import { findErrorBy, type BaseOptions, type GenericError } from "@platformatic/kafka";
import type { KeyType } from "./kafka-event.ts";

/** `KafkaSourceSpec` of src/api/sources/messages.ts with the values of its Secrets. */
export interface KafkaSettings {
  readonly bootstrapServers: readonly string[];
  readonly topics: readonly string[];
  readonly consumerGroup: string;
  readonly consumers?: number;
  readonly initialOffset?: "latest" | "earliest";
  readonly ordering?: "ordered" | "unordered";
  readonly keyType?: KeyType;
  readonly net?: {
    readonly sasl?: {
      readonly enable?: boolean;
      readonly user?: string;
      readonly password?: string;
      readonly type?: string;
    };
    readonly tls?: {
      readonly enable?: boolean;
      readonly cert?: string;
      readonly key?: string;
      readonly caCert?: string;
    };
  };
}

const mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

/** Throws for a mechanism that is none. */
export function clientOptions({ bootstrapServers, net = {} }: KafkaSettings, clientId: string): BaseOptions {
  const { sasl, tls } = net;
  return {
    clientId,
    bootstrapBrokers: [...bootstrapServers],
    retries: 2,
    retryDelay: 500,
    ...(sasl?.enable
      ? { sasl: { mechanism: mechanismOf(sasl.type), username: sasl.user ?? "", password: sasl.password ?? "" } }
      : {}),
    ...(tls?.enable
      ? {
          // Addresses are no names to ask for.
          tlsServerName: bootstrapServers.every((server) => isIP(hostOf(server)) === 0),
          tls: {
            ...(tls.caCert ? { ca: tls.caCert } : {}),
            ...(tls.cert ? { cert: tls.cert } : {}),
            ...(tls.key ? { key: tls.key } : {}),
          },
        }
      : {}),
  };
}

const hostOf = (server: string): string => server.slice(0, server.lastIndexOf(":")).replace(/^\[|\]$/g, "");

/** PLAIN where nothing is said, as upstream. */
function mechanismOf(type: string | undefined): (typeof mechanisms)[number] {
  const wanted = type?.trim().toUpperCase() || "PLAIN";
  const found = mechanisms.find((one) => one === wanted);
  if (!found) throw new Error(`spec.net.sasl.type names "${type?.trim()}": use ${mechanisms.join(", ")}`);
  return found;
}

/** What went wrong, and what to do about it. */
export function explain({ bootstrapServers, topics, consumerGroup }: KafkaSettings, error: unknown): string {
  const given = error instanceof Error ? error : new Error(String(error));
  const at = bootstrapServers.join(", ");
  const is = (property: string, value: unknown): GenericError | null => findErrorBy(given, property, value);
  const text = deepest(given);
  if (is("apiId", "SASL_AUTHENTICATION_FAILED") || /authentication failed|SASL authentication/i.test(text))
    return `Kafka at ${at} refused the login: check spec.net.sasl`;
  if (is("apiId", "UNSUPPORTED_SASL_MECHANISM") || is("apiId", "ILLEGAL_SASL_STATE"))
    return `Kafka at ${at} does not take that way to log in: check spec.net.sasl`;
  if (is("apiId", "UNKNOWN_TOPIC_OR_PARTITION") || /unknown topic/i.test(text))
    return `a topic of ${topics.map((topic) => `"${topic}"`).join(", ")} does not exist: create it, or correct spec.topics`;
  if (is("apiId", "TOPIC_AUTHORIZATION_FAILED"))
    return `Kafka does not let ${topics.join(", ")} be read: allow Read and Describe to the source's user`;
  if (is("apiId", "GROUP_AUTHORIZATION_FAILED"))
    return `Kafka does not let the group "${consumerGroup}" be used: allow Read to the source's user`;
  if (/certificate|self.signed|ERR_TLS|ERR_SSL|EPROTO|wrong version number/i.test(text))
    return `no encrypted connection to Kafka at ${at}: ${text}; check spec.net.tls and its caCert`;
  if (/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|EAI_AGAIN|Connection closed|network|timed out/i.test(text))
    return `Kafka at ${at} cannot be reached (${text}): check spec.bootstrapServers`;
  return `Kafka at ${at}: ${text}`;
}

/** Messages of what was at the bottom of it, which is what tells something. */
function deepest(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? (error.errors as readonly unknown[]).at(-1) : error.cause;
  if (inner !== undefined) return deepest(inner);
  const { code } = error as { readonly code?: unknown };
  return error.message !== "" ? error.message : String(code ?? error.name);
}
