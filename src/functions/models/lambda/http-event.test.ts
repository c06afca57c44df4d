import { expect, test } from "vitest";
import { clfTime, toHttpEvent, type EventShape, type HttpCall } from "./http-event.ts";
import { fromPrelude, toHttpResult } from "./http-result.ts";

const call: HttpCall = {
  method: "POST",
  path: "/my%20path",
  rawQuery: "a=1&a=2&b=x%20y",
  rawHeaders: [
    "Host",
    "fn.example:8080",
    "X-Two",
    "1",
    "X-Two",
    "2",
    "Cookie",
    "c=1; d=2",
    "Content-Type",
    "application/json",
    "User-Agent",
    "curl",
  ],
  body: Buffer.from('{"k":1}'),
  httpVersion: "1.1",
  sourceIp: "9.9.9.9",
  requestId: "r-1",
  atMs: Date.UTC(2020, 2, 12, 19, 3, 58),
};

test.each(["url", "api-v2"] as const)("version 2.0 (%s): joined headers and query, cookies apart", (shape) => {
  expect(toHttpEvent(shape, call)).toEqual({
    version: "2.0",
    routeKey: "$default",
    rawPath: "/my%20path",
    rawQueryString: "a=1&a=2&b=x%20y",
    cookies: ["c=1", "d=2"],
    headers: { host: "fn.example:8080", "x-two": "1,2", "content-type": "application/json", "user-agent": "curl" },
    queryStringParameters: { a: "1,2", b: "x y" },
    requestContext: {
      accountId: "anonymous",
      apiId: "fn",
      domainName: "fn.example:8080",
      domainPrefix: "fn",
      http: { method: "POST", path: "/my%20path", protocol: "HTTP/1.1", sourceIp: "9.9.9.9", userAgent: "curl" },
      requestId: "r-1",
      routeKey: "$default",
      stage: "$default",
      time: "12/Mar/2020:19:03:58 +0000",
      timeEpoch: call.atMs,
    },
    body: '{"k":1}',
    isBase64Encoded: false,
  });
});

test("version 1: last values and all values, null where there is nothing", () => {
  const event = toHttpEvent("api-v1", call);
  expect(event).toMatchObject({
    resource: "/{proxy+}",
    path: "/my path",
    httpMethod: "POST",
    headers: { "X-Two": "2", Host: "fn.example:8080" },
    multiValueHeaders: { "X-Two": ["1", "2"] },
    queryStringParameters: { a: "2", b: "x y" },
    multiValueQueryStringParameters: { a: ["1", "2"], b: ["x y"] },
    pathParameters: { proxy: "my path" },
    stageVariables: null,
    requestContext: {
      requestTime: "12/Mar/2020:19:03:58 +0000",
      identity: { sourceIp: "9.9.9.9", userAgent: "curl" },
      stage: "default",
    },
    body: '{"k":1}',
  });
  expect(toHttpEvent("api-v1", { ...call, rawQuery: "", path: "/", body: Buffer.alloc(0) })).toMatchObject({
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    body: null,
  });
});

test("a target group: the query still encoded, an empty body as empty text", () => {
  expect(toHttpEvent("alb", { ...call, body: Buffer.alloc(0) })).toMatchObject({
    requestContext: { elb: { targetGroupArn: expect.stringContaining("targetgroup") } },
    queryStringParameters: { a: "2", b: "x%20y" },
    headers: { "x-two": "2" },
    body: "",
    isBase64Encoded: false,
  });
  const zipped = { ...call, rawHeaders: [...call.rawHeaders, "Content-Encoding", "gzip"] };
  expect(toHttpEvent("alb", zipped)["isBase64Encoded"]).toBe(true);
});

test.each<[string, boolean]>([
  ["text/html; charset=utf-8", false],
  ["application/json", false],
  ["application/problem+json", false],
  ["application/xml", false],
  ["application/javascript", false],
  ["application/x-www-form-urlencoded", true],
  ["image/png", true],
  ["application/octet-stream", true],
])("a body of %s in base64: %s", (type, encoded) => {
  const event = toHttpEvent("url", { ...call, rawHeaders: ["Content-Type", type], body: Buffer.from("ü") });
  expect([event["isBase64Encoded"], event["body"]]).toEqual([encoded, encoded ? "w7w=" : "ü"]);
});

test("version 2.0 leaves out what is not there", () => {
  const event = toHttpEvent("url", { ...call, rawQuery: "", rawHeaders: [], body: Buffer.alloc(0) });
  for (const name of ["cookies", "queryStringParameters", "body"]) expect(event).not.toHaveProperty(name);
});

test("the common log format's time", () => {
  expect(clfTime(0)).toBe("01/Jan/1970:00:00:00 +0000");
});

test.each<[string, EventShape, unknown, object]>([
  [
    "a whole response",
    "url",
    { statusCode: 201, headers: { "X-A": "b" }, cookies: ["c=1"], body: "x" },
    { status: 201, headers: { "x-a": "b", "set-cookie": ["c=1"], "content-type": "application/json" }, body: "x" },
  ],
  ["base64", "url", { statusCode: 200, body: "w7w=", isBase64Encoded: true }, { body: Buffer.from("ü") }],
  ["a status as text", "api-v1", { statusCode: "404" }, { status: 404, body: "" }],
  [
    "lists of values",
    "api-v1",
    { statusCode: 200, multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"] } },
    { headers: { "set-cookie": ["a=1", "b=2"] } },
  ],
  [
    "an object without a status",
    "url",
    { ok: 1 },
    { status: 200, headers: { "content-type": "application/json" }, body: '{"ok":1}' },
  ],
  ["plain text", "api-v2", "hi", { status: 200, body: "hi" }],
  ["nothing", "url", undefined, { status: 200, body: "null" }],
  [
    "its own length is not believed",
    "url",
    { statusCode: 200, headers: { "Content-Length": "999" }, body: "x" },
    { headers: { "content-type": "application/json" } },
  ],
])("a result: %s", (_case, shape, value, wanted) => {
  expect(toHttpResult(shape, value)).toMatchObject(wanted);
});

test.each<[string, EventShape, unknown, RegExp]>([
  [
    "text for version 1",
    "api-v1",
    "hi",
    /returned a string: an event of api-v1 is answered by an object with statusCode/,
  ],
  ["a bad status", "url", { statusCode: 99 }, /statusCode 99: it must be from 200 to 599/],
  ["a body that is an object", "url", { statusCode: 200, body: {} }, /a body that is a object: it must be text/],
  ["headers that are text", "url", { statusCode: 200, headers: "x" }, /headers that are no object/],
])("refused: %s", (_case, shape, value, message) => {
  expect(() => toHttpResult(shape, value)).toThrow(message);
});

test("a stream's prelude may leave out all but what it needs", () => {
  expect(fromPrelude({})).toEqual({ status: 200, headers: { "content-type": "application/json" } });
  expect(fromPrelude({ statusCode: 202, headers: { "content-type": "text/x" } })).toEqual({
    status: 202,
    headers: { "content-type": "text/x" },
  });
  expect(() => fromPrelude(7)).toThrow("no object");
});
