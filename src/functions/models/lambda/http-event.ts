import { mediaType } from "../../../api/cloudevents/cloud-event.ts";

/** An HTTP request as far as event shapes know it. */
export interface HttpCall {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** As sent, without the mark; empty when there is none. */
  readonly rawQuery: string;
  /** node:http's flat list. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly httpVersion: string;
  readonly sourceIp: string;
  readonly requestId: string;
  readonly atMs: number;
}

/** `url`: a Function URL, which is also an HTTP API's version 2.0. */
export const eventShapes = ["url", "api-v2", "api-v1", "alb"] as const;
export type EventShape = (typeof eventShapes)[number];

/** The event an HTTP request becomes; field by field as in functions.md §5.4. */
export function toHttpEvent(shape: EventShape, call: HttpCall): Readonly<Record<string, unknown>> {
  switch (shape) {
    case "url":
    case "api-v2":
      return version2(call);
    case "api-v1":
      return version1(call);
    case "alb":
      return targetGroup(call);
  }
}

type Pairs = readonly (readonly [string, string])[];

function headerPairs({ rawHeaders }: HttpCall, lower: boolean): Pairs {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    pairs.push([lower ? name.toLowerCase() : name, rawHeaders[i + 1] ?? ""]);
  }
  return pairs;
}

function version2(call: HttpCall): Readonly<Record<string, unknown>> {
  const pairs = headerPairs(call, true);
  const headers = joined(pairs.filter(([name]) => name !== "cookie"));
  const cookies = pairs.filter(([name]) => name === "cookie").flatMap(([, value]) => value.split(/;\s*/));
  const host = headers["host"] ?? "localhost";
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: call.path,
    rawQueryString: call.rawQuery,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers,
    ...(call.rawQuery === "" ? {} : { queryStringParameters: joined([...new URLSearchParams(call.rawQuery)]) }),
    requestContext: {
      accountId: "anonymous",
      apiId: prefixOf(host),
      domainName: host,
      domainPrefix: prefixOf(host),
      http: {
        method: call.method,
        path: call.path,
        protocol: `HTTP/${call.httpVersion}`,
        sourceIp: call.sourceIp,
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: call.requestId,
      routeKey: "$default",
      stage: "$default",
      time: clfTime(call.atMs),
      timeEpoch: call.atMs,
    },
    ...bodyOf(call, isTextual(headers["content-type"])),
  };
}

function version1(call: HttpCall): Readonly<Record<string, unknown>> {
  const pairs = headerPairs(call, false);
  const query: Pairs = [...new URLSearchParams(call.rawQuery)];
  const type = pairs.find(([name]) => name.toLowerCase() === "content-type")?.[1];
  const host = pairs.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "localhost";
  const { body = null, isBase64Encoded } = bodyOf(call, isTextual(type));
  return {
    resource: "/{proxy+}",
    path: decode(call.path),
    httpMethod: call.method,
    headers: last(pairs),
    multiValueHeaders: many(pairs),
    queryStringParameters: query.length === 0 ? null : last(query),
    multiValueQueryStringParameters: query.length === 0 ? null : many(query),
    pathParameters: call.path === "/" ? null : { proxy: decode(call.path).slice(1) },
    stageVariables: null,
    requestContext: {
      accountId: "123456789012",
      apiId: prefixOf(host),
      domainName: host,
      domainPrefix: prefixOf(host),
      extendedRequestId: call.requestId,
      httpMethod: call.method,
      identity: {
        sourceIp: call.sourceIp,
        userAgent: pairs.find(([name]) => name.toLowerCase() === "user-agent")?.[1] ?? null,
      },
      path: call.path,
      protocol: `HTTP/${call.httpVersion}`,
      requestId: call.requestId,
      requestTime: clfTime(call.atMs),
      requestTimeEpoch: call.atMs,
      resourceId: "proxy",
      resourcePath: "/{proxy+}",
      stage: "default",
    },
    body,
    isBase64Encoded,
  };
}

function targetGroup(call: HttpCall): Readonly<Record<string, unknown>> {
  const headers = last(headerPairs(call, true));
  const textual = isTextual(headers["content-type"]) && headers["content-encoding"] === undefined;
  const { body = "", isBase64Encoded } = bodyOf(call, textual);
  const query: Record<string, string> = {};
  for (const part of call.rawQuery.split("&").filter(Boolean)) {
    const at = part.indexOf("=");
    // Still percent-encoded, as a load balancer passes it on.
    query[at < 0 ? part : part.slice(0, at)] = at < 0 ? "" : part.slice(at + 1);
  }
  const arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/ebb/0000000000000000";
  return {
    requestContext: { elb: { targetGroupArn: arn } },
    httpMethod: call.method,
    path: call.path,
    queryStringParameters: query,
    headers,
    body,
    isBase64Encoded,
  };
}

interface EventBody {
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

function bodyOf({ body }: HttpCall, textual: boolean): EventBody {
  if (body.length === 0) return { isBase64Encoded: false };
  return textual
    ? { body: body.toString("utf8"), isBase64Encoded: false }
    : { body: body.toString("base64"), isBase64Encoded: true };
}

/** Bodies of other types are given in base64. */
function isTextual(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  const type = mediaType(contentType);
  return type.startsWith("text/") || /^application\/(.*\+)?(json|xml|javascript|ecmascript)$/.test(type);
}

function joined(pairs: Pairs): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of pairs) result[name] = name in result ? `${result[name]},${value}` : value;
  return result;
}

const last = (pairs: Pairs): Record<string, string> => Object.fromEntries(pairs);

function many(pairs: Pairs): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const [name, value] of pairs) (result[name] ??= []).push(value);
  return result;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const prefixOf = (host: string): string => host.split(/[.:]/, 1)[0] ?? host;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `12/Mar/2020:19:03:58 +0000` */
export function clfTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}
