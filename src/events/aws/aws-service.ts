/** Requests to storage and queues that speak as those of AWS do, signed (Signature Version 4). */
import type { AwsClient } from "aws4fetch";
import type { AwsKeys } from "../../api/eventing/sink-engine.ts";

/** What S3, SQS and SNS have in common of a sink's or source's settings. */
export interface AwsPlace {
  readonly region?: string;
  readonly uriEndpointOverride?: string;
  readonly overrideEndpoint?: boolean;
  readonly arn?: string;
}

export interface AwsAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** An answer that is no success; `code` is the service's own. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface AwsRequest {
  readonly method?: string;
  /** With a slash in front. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

export interface AwsService {
  /** `https://sqs.eu-central-1.amazonaws.com`, or what takes its place. */
  readonly origin: string;
  /** Throws {@link AwsError}, or what the connection failed with. */
  send(request: AwsRequest): Promise<AwsAnswer>;
}

export type AwsServiceName = "s3" | "sqs" | "sns";

/** Longest time of one request beside what a queue is asked to wait. */
const requestMs = 60_000;

/** The client is loaded with the first request. `domain` is that of AWS where it is another than amazonaws.com. */
export function createAwsService(
  service: AwsServiceName,
  place: AwsPlace,
  { credentials, domain = "amazonaws.com" }: { readonly credentials: AwsKeys; readonly domain?: string },
): AwsService {
  const { region = "us-east-1", uriEndpointOverride, overrideEndpoint } = place;
  const own = overrideEndpoint === true && uriEndpointOverride ? uriEndpointOverride.replace(/\/+$/, "") : undefined;
  const origin = own ?? `https://${service}.${region}.${domain}`;
  let client: Promise<AwsClient> | undefined;
  const load = async (): Promise<AwsClient> => {
    const { AwsClient: Client } = await import("aws4fetch");
    const { accessKey, secretKey } = credentials;
    // Whoever sends or reads tries again itself.
    return new Client({ accessKeyId: accessKey, secretAccessKey: secretKey, service, region, retries: 0 });
  };
  return {
    origin,
    async send({ method = "POST", path = "/", headers = {}, body, signal }) {
      const aws = await (client ??= load());
      const response = await aws.fetch(`${origin}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]),
      });
      const answer = {
        status: response.status,
        headers: response.headers,
        body: Buffer.from(await response.arrayBuffer()),
      };
      if (response.ok) return answer;
      throw errorOf(answer, `${service} at ${origin}`);
    },
  };
}

/** S3 and SNS answer in XML, SQS in JSON. */
function errorOf({ status, headers, body }: AwsAnswer, where: string): AwsError {
  const text = body.toString("utf8");
  const type =
    headers.get("x-amzn-query-error")?.split(";")[0] ?? /"__type"\s*:\s*"(?:[^"#]*#)?([^"]*)"/.exec(text)?.[1];
  const code = type ?? xmlText(text, "Code") ?? String(status);
  const told = xmlText(text, "Message") ?? /"message"\s*:\s*"([^"]*)"/i.exec(text)?.[1] ?? "";
  return new AwsError(status, code, `${where} answered ${status} ${code}${told ? `: ${told}` : ""}`);
}

/** The text of the first element of that name. */
export function xmlText(text: string, element: string): string | undefined {
  const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(text)?.[1];
  return found === undefined ? undefined : fromXml(found);
}

/** What is inside each element of that name. */
export const xmlElements = (text: string, element: string): readonly string[] =>
  [...text.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))].map(([, inner = ""]) => inner);

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

const fromXml = (text: string): string =>
  text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? "");

/** The name at the end of an ARN; what is none is a name. */
export const nameInArn = (arn: string): string => (arn.startsWith("arn:") ? (arn.split(":").at(-1) ?? arn) : arn);
