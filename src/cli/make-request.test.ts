import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { CommandContext, CommandInput } from "./command.ts";
import { makeRequest, type InvokeRequest } from "./make-request.ts";

const make = (options: CommandInput["options"], stdin = ""): Promise<InvokeRequest> => {
  const input = new PassThrough();
  input.end(stdin);
  const context: CommandContext = {
    print: () => undefined,
    note: () => undefined,
    stdout: new PassThrough(),
    stdin: input,
    env: {},
    signal: new AbortController().signal,
    commands: [],
  };
  return makeRequest(context, { args: ["fn"], options });
};
const textOf = (request: InvokeRequest): string => Buffer.from(request.body ?? []).toString("utf8");

test("without data it is a GET, with data a POST that knows JSON when it sees it", async () => {
  expect(await make({})).toMatchObject({ method: "GET", body: undefined });
  const json = await make({ body: '{"a":1}' });
  expect(json).toMatchObject({
    method: "POST",
    headers: { "content-type": "application/json", "content-length": "7" },
  });
  expect((await make({ body: "{not json" })).headers["content-type"]).toBeUndefined();
});

test("data comes from a file or from standard input", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "ebb-request-")), "x.json");
  writeFileSync(file, "[1]");
  expect(textOf(await make({ body: `@${file}` }))).toBe("[1]");
  expect(textOf(await make({ body: "-" }, "piped"))).toBe("piped");
  await expect(make({ body: "@/nowhere" })).rejects.toThrow(/--body: cannot read "\/nowhere"/);
});

test("naming a part of an event sends it in binary mode, with values encoded as the binding says", async () => {
  const request = await make({ type: "order.placed", subject: "zwölf %", extension: ["tenant=a"], body: '{"n":1}' });
  expect(request).toMatchObject({
    method: "POST",
    headers: {
      "ce-specversion": "1.0",
      "ce-type": "order.placed",
      "ce-source": "/ebb/invoke",
      "ce-subject": "zw%C3%B6lf%20%25",
      "ce-tenant": "a",
      "content-type": "application/json",
    },
  });
  expect(textOf(request)).toBe('{"n":1}');
});

test("a structured event carries JSON data as JSON", async () => {
  const request = await make({ event: true, structured: true, id: "1", body: '{"n":1}' });
  expect(request.headers["content-type"]).toBe("application/cloudevents+json");
  expect(JSON.parse(textOf(request))).toMatchObject({ id: "1", datacontenttype: "application/json", data: { n: 1 } });
});

test("what is no header or attribute is refused with the place", async () => {
  await expect(make({ header: ["nothing"] })).rejects.toThrow('--header: "nothing" is not name:value');
  await expect(make({ extension: ["No=1"] })).rejects.toThrow(/--extension: "No=1"/);
});
