import { expect, test } from "vitest";
import type { CloudEvent } from "./cloud-event.ts";
import { formatBatch, formatBinary, formatStructured, toJson } from "./format-http.ts";
import { contentMode, fromJson, parseHttpEvents, type HeaderMap } from "./parse-http.ts";

const minimal = { specversion: "1.0", id: "1", source: "/s", type: "t" } as const;
const text = (body: string | Uint8Array): Buffer => (typeof body === "string" ? Buffer.from(body) : Buffer.from(body));

test.each<[string, HeaderMap, ReturnType<typeof contentMode>]>([
  ["headers of an event", { "ce-specversion": "1.0", "content-type": "application/json" }, "binary"],
  ["its type alone, so that the missing rest is an error", { "ce-type": "t" }, "binary"],
  ["the event format", { "content-type": "application/cloudevents+json; charset=utf-8" }, "structured"],
  ["any letter case", { "content-type": "Application/CloudEvents+JSON" }, "structured"],
  ["a batch", { "content-type": "application/cloudevents-batch+json" }, "batch"],
  ["plain JSON", { "content-type": "application/json" }, undefined],
  ["nothing", {}, undefined],
])("the mode by %s", (_name, headers, mode) => {
  expect(contentMode(headers)).toBe(mode);
});

test.each<[string, CloudEvent]>([
  ["no data", minimal],
  ["JSON", { ...minimal, datacontenttype: "application/json", data: { a: [1, null, "x"] } }],
  ["a JSON string", { ...minimal, datacontenttype: "application/json", data: "hello" }],
  ["text", { ...minimal, datacontenttype: "text/plain", data: "grüße" }],
  ["bytes", { ...minimal, datacontenttype: "image/png", data: Buffer.from([0, 255, 128]) }],
  ["attributes outside ASCII", { ...minimal, subject: 'a "b" %41 café 🎈', ext1: "x y" }],
  ["time and schema", { ...minimal, time: "2026-11-20T10:00:00.5+01:00", dataschema: "https://x/y" }],
])("binary mode keeps %s", (_name, event) => {
  const { headers, body } = formatBinary(event);
  expect(parseHttpEvents("binary", headers, text(body))).toEqual([event]);
});

test.each<[string, CloudEvent]>([
  ["JSON", { ...minimal, data: { a: 1 } }],
  ["bytes", { ...minimal, data: Buffer.from([0, 255]) }],
  ["extensions of all kinds", { ...minimal, flag: true, count: 7, word: "x" }],
])("structured mode keeps %s", (_name, event) => {
  const { headers, body } = formatStructured(event);
  expect(parseHttpEvents("structured", headers, text(body))).toEqual([event]);
});

test("a batch keeps its events in order; an empty one is a batch too", () => {
  const events = [minimal, { ...minimal, id: "2", data: [] }];
  const { headers, body } = formatBatch(events);
  expect(parseHttpEvents("batch", headers, text(body))).toEqual(events);
  expect(parseHttpEvents("batch", headers, text("[]"))).toEqual([]);
});

test("header values are percent-encoded as the HTTP binding has it", () => {
  const { headers } = formatBinary({ ...minimal, subject: "Euro € 😀", ext: 'a"b%c' });
  expect(headers["ce-subject"]).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80");
  expect(headers["ce-ext"]).toBe("a%22b%25c");
});

test("what event libraries make of an event is taken: dates, holes, methods, data_base64", () => {
  const event = {
    ...minimal,
    time: new Date(0),
    subject: undefined,
    data_base64: "AP8=",
    toString: () => "",
  } as unknown as CloudEvent;
  expect(toJson(event)).toEqual({ ...minimal, time: "1970-01-01T00:00:00.000Z", data_base64: "AP8=" });
  expect(formatBinary(event).body).toEqual(Buffer.from([0, 255]));
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no version", { id: "1", source: "/s", type: "t" }, /"specversion" is missing/],
  ["an unknown version", { ...minimal, specversion: "2.0" }, /specversion "2.0" is not supported/],
  ["no id", { specversion: "1.0", source: "/s", type: "t" }, /"id" is missing/],
  ["an empty source", { ...minimal, source: "" }, /"source" must be a string that is not empty/],
  ["a type that is no string", { ...minimal, type: 3 }, /"type" must be a string/],
  ["a bad name", { ...minimal, "my-ext": "x" }, /"my-ext" has a bad name/],
  ["an object as attribute", { ...minimal, ext: {} }, /"ext" must be text, a number or a boolean/],
  ["a bad time", { ...minimal, time: "yesterday" }, /"time" must be a date and time of RFC 3339, not "yesterday"/],
  ["both kinds of data", { ...minimal, data: 1, data_base64: "AA==" }, /"data" or "data_base64", not both/],
])("%s is refused by name", (_case, event, message) => {
  expect(() => fromJson(event)).toThrow(message);
});

test("bodies that are not what their headers say are refused", () => {
  const json = { "content-type": "application/cloudevents+json" };
  expect(() => parseHttpEvents("structured", json, text("{"))).toThrow(/not JSON/);
  expect(() => parseHttpEvents("structured", json, text("[]"))).toThrow(/must be an object/);
  expect(() => parseHttpEvents("batch", { "content-type": "application/cloudevents-batch+json" }, text("{}"))).toThrow(
    /JSON array/,
  );
  expect(() => parseHttpEvents("structured", { "content-type": "application/cloudevents+avro" }, text(""))).toThrow(
    /format application\/cloudevents\+avro is not supported/,
  );
});
