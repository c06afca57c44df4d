import { array, assert, boolean, nat, property, record, string, stringMatching, tuple, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkScanner } from "./chunk-scanner.ts";
import { headerId, headerIdOf, headerIdOfName } from "./header-names.ts";
import { needMore, refused } from "./head-parser.ts";
import { HeadReader } from "./head-reader.ts";
import { RequestHead } from "./request-head.ts";

const limits = { headBytes: 10_000, lineBytes: 4000, headers: 50 };

interface Parsed {
  readonly consumed: number;
  readonly line: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** Feeds `bytes` in pieces that end at `cuts`; the verdict must not depend on them. */
function parse(reader: HeadReader, bytes: Buffer, cuts: readonly number[]): Parsed | "refused" | "more" {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let at = 0;
  for (const end of [...ends, bytes.length]) {
    if (end === at) continue;
    const position = reader.read(bytes, at, end);
    if (position === refused) return "refused";
    if (position !== needMore) {
      const { parser, text } = reader;
      const head = new RequestHead(parser);
      head.text = text;
      const headers = Array.from({ length: parser.count }, (_, i) => {
        const at = i * 4;
        return [text.slice(parser.offsets[at], parser.offsets[at + 1]), head.value(i)] as const;
      });
      return { consumed: position, line: text.slice(parser.lineStart, parser.lineEnd), headers };
    }
    at = end;
  }
  return "more";
}

const token = stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = stringMatching(/^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/);
const cuts = array(nat(400), { maxLength: 12 });

describe("a head", () => {
  test("with lines that end in LF alone reads as one with CRLF, in any pieces, where that is accepted", () => {
    const lines = tuple(stringMatching(/^[a-z]{1,8}$/), array(tuple(token, value), { maxLength: 5 }));
    assert(
      property(lines, array(boolean(), { minLength: 8, maxLength: 8 }), cuts, ([path, headers], bare, at) => {
        const texts = [`GET /${path} HTTP/1.1`, ...headers.map(([name, text]) => `${name}: ${text}`), ""];
        const mixed = texts.map((line, i) => `${line}${bare[i] ? "\n" : "\r\n"}`).join("");
        const clean = `${texts.join("\r\n")}\r\n`;
        const reader = new HeadReader(limits, true);
        const parsed = parse(reader, Buffer.from(mixed, "latin1"), at);
        expect(parsed).toEqual({
          ...(parse(new HeadReader(limits), Buffer.from(clean, "latin1"), []) as Parsed),
          consumed: mixed.length,
        });
        expect(reader.text).toBe(clean);
        if (mixed !== clean) expect(parse(new HeadReader(limits), Buffer.from(mixed, "latin1"), at)).toBe("refused");
      }),
    );
  });

  test("reads the same in any pieces, and gives back what was written", () => {
    const heads = record({
      target: stringMatching(/^\/[\x21-\x7e]{0,30}$/),
      headers: array(tuple(token, value), { maxLength: 8 }),
    });
    assert(
      property(heads, cuts, string({ maxLength: 20 }), ({ target, headers }, where, rest) => {
        const line = `GET ${target} HTTP/1.1`;
        const text = `${line}\r\n${headers.map(([n, v]) => `${n}: ${v}\r\n`).join("")}\r\n`;
        const bytes = Buffer.from(text + rest, "latin1");
        const reader = new HeadReader(limits);
        const expected: Parsed = { consumed: text.length, line, headers };
        expect(parse(reader, bytes, [])).toEqual(expected);
        reader.reset();
        expect(parse(reader, bytes, where)).toEqual(expected);
        reader.reset();
        expect(parse(reader, bytes, [])).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test("gets the same verdict in any pieces also when it is broken anywhere", () => {
    const base = "GET /a HTTP/1.1\r\nHost: app.test\r\nX-Long: some value\r\n\r\n";
    assert(
      property(nat(base.length - 1), nat(255), cuts, (at, byte, where) => {
        const bytes = Buffer.from(base, "latin1");
        bytes[at] = byte;
        expect(parse(new HeadReader(limits), bytes, where)).toEqual(parse(new HeadReader(limits), bytes, []));
      }),
      { numRuns: 1000 },
    );
  });

  test("never reads beyond its bytes nor throws, whatever comes", () => {
    assert(
      property(uint8Array({ maxLength: 300 }), cuts, (bytes, where) => {
        const verdict = parse(new HeadReader(limits), Buffer.from(bytes), where);
        if (typeof verdict === "object") expect(verdict.consumed).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });

  test("equal to the one before is recognised, and one that only begins alike is not", () => {
    const reader = new HeadReader(limits);
    const one = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    reader.read(one, 0, one.length);
    expect(reader.same).toBe(false);
    reader.reset();
    expect(reader.read(one, 0, one.length)).toBe(one.length);
    expect(reader.same).toBe(true);
    reader.reset();
    const other = Buffer.from("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
    reader.read(other, 0, other.length);
    expect(reader.same).toBe(false);
    expect(reader.text).toBe(other.toString());
  });

  test("is refused at its limits and not before", () => {
    const head = (length: number): Buffer => Buffer.from(`GET / HTTP/1.1\r\nX: ${"a".repeat(length)}\r\n\r\n`);
    const fits = head(limits.headBytes - head(0).length);
    expect(new HeadReader(limits).read(fits, 0, fits.length)).toBe(limits.headBytes);
    const over = head(limits.headBytes - head(0).length + 1);
    const reader = new HeadReader(limits);
    expect(reader.read(over, 0, over.length)).toBe(refused);
    expect(reader.parser.fault).toBe("head-too-large");
  });
});

describe("header names", () => {
  test.each([
    ["Host", headerId.host],
    ["hOsT", headerId.host],
    ["Hosts", headerId.other],
    ["Content-Length", headerId.contentLength],
    ["Content_Length", headerId.other],
    ["K-Foo", headerId.internal],
    ["k-original-host", headerId.internal],
    ["Knative-Serving-Namespace", headerId.internal],
    ["Knative-Serving-Tag", headerId.servingTag],
    ["K-Network-Probe", headerId.networkProbe],
    ["Keep-Alive", headerId.keepAlive],
    ["Kangaroo", headerId.other],
  ])("%s", (name, id) => {
    const bytes = Buffer.from(name);
    expect(headerIdOf(bytes, 0, bytes.length)).toBe(id);
    expect(headerIdOfName(name.toLowerCase())).toBe(id);
  });
});

describe("a chunked body", () => {
  test("gives back its payload and trailers in any pieces, and ends where it ends", () => {
    const pieces = array(uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
    assert(
      property(pieces, array(tuple(token, value), { maxLength: 3 }), cuts, (chunks, trailers, where) => {
        const lines = trailers.map(([n, v]) => `x-${n}: ${v}`);
        const framed = Buffer.concat([
          ...chunks.map((c) => Buffer.concat([Buffer.from(`${c.length.toString(16)}\r\n`), c, Buffer.from("\r\n")])),
          Buffer.from(`0\r\n${lines.map((l) => `${l}\r\n`).join("")}\r\n`, "latin1"),
        ]);
        const bytes = Buffer.concat([framed, Buffer.from("next")]);
        const scanner = new ChunkScanner();
        const payload: Buffer[] = [];
        let at = 0;
        for (const end of [...where.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
          if (end <= at || scanner.done) continue;
          const stop = scanner.scan(bytes, at, end, (b, from, to) => payload.push(Buffer.from(b.subarray(from, to))));
          expect(stop).toBeGreaterThanOrEqual(at);
          if (scanner.done) expect(stop).toBe(framed.length);
          else expect(stop).toBe(end);
          at = stop;
        }
        expect(scanner.done).toBe(true);
        expect(Buffer.concat(payload).equals(Buffer.concat(chunks))).toBe(true);
        expect(scanner.trailers).toEqual(lines);
      }),
      { numRuns: 500 },
    );
  });
});
