import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { crc32 } from "node:zlib";
import { array, assert, asyncProperty, dictionary, integer, property, string, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";
import { spdyDictionary } from "./spdy-dictionary.ts";
import { controlFrame, dataFrame, FrameReader, frameType, words, type SpdyFrame } from "./spdy-frames.ts";
import { HeaderReader, HeaderWriter } from "./spdy-headers.ts";

/** Both ends of a connection in memory. */
function wire(): { readonly client: PassThrough; readonly server: Duplex; readonly sent: () => Buffer } {
  const client = new PassThrough();
  const chunks: Buffer[] = [];
  const server = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  client.on("data", (chunk: Buffer) => server.push(chunk));
  client.on("end", () => server.push(null));
  return { client, server, sent: () => Buffer.concat(chunks) };
}

const framesOf = (bytes: Buffer): SpdyFrame[] => [...new FrameReader().read(bytes)];

test("the dictionary is the one of SPDY/3, to the byte", () => {
  expect(spdyDictionary().length).toBe(1423);
  expect(crc32(spdyDictionary()).toString(16)).toBe("4c8490e");
});

describe("frames", () => {
  test("come out whole however they are cut", () => {
    const frame = array(uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 10 });
    assert(
      property(frame, integer({ min: 1, max: 40 }), (bodies, size) => {
        const bytes = Buffer.concat(
          bodies.map((body, i) =>
            i % 2 === 0 ? dataFrame(i + 1, body, i % 3 === 0) : controlFrame(frameType.ping, body, i % 3 === 0 ? 1 : 0),
          ),
        );
        const reader = new FrameReader();
        const found: SpdyFrame[] = [];
        for (let at = 0; at < bytes.length; at += size)
          for (const one of reader.read(bytes.subarray(at, at + size))) found.push(one);
        expect(found.map((one) => Buffer.from(one.kind === "data" ? one.data : one.body))).toEqual(
          bodies.map((body) => Buffer.from(body)),
        );
        expect(found.map(({ fin }) => fin)).toEqual(bodies.map((_, i) => i % 3 === 0));
      }),
    );
  });

  test("of another version are refused", () => {
    const bytes = controlFrame(frameType.ping, words(1));
    bytes[1] = 2;
    expect(() => framesOf(bytes)).toThrow("a control frame of SPDY version 2, not 3");
    expect(() => framesOf(Buffer.from("\u00ff\u00ffGET / HT", "latin1"))).toThrow("a control frame of SPDY version");
  });
});

test("control frames longer than any real one are refused before they have come", () => {
  const head = controlFrame(frameType.synStream, Buffer.alloc(70_000)).subarray(0, 8);
  expect(() => framesOf(head)).toThrow("a control frame of 70000 bytes");
});

test("headers written are headers read, block after block", async () => {
  const block = dictionary(string({ minLength: 1, maxLength: 20 }), string({ maxLength: 40 }), { maxKeys: 6 });
  await assert(
    asyncProperty(array(block, { minLength: 1, maxLength: 5 }), async (blocks) => {
      const [writer, reader] = [new HeaderWriter(), new HeaderReader()];
      for (const headers of blocks) {
        const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
        expect(await reader.read(writer.write(lower))).toEqual(lower);
      }
      reader.close();
    }),
    { numRuns: 50 },
  );
});

describe("a connection", () => {
  const open = (id: number, writer: HeaderWriter, fin = false): Buffer => {
    const headers = writer.write(new Map([["streamtype", `type-${id}`]]));
    return controlFrame(frameType.synStream, Buffer.concat([words(id, 0), Buffer.from([0, 0]), headers]), fin ? 1 : 0);
  };

  test("answers streams and pings, carries data both ways and says goodbye", async () => {
    const { client, server, sent } = wire();
    const streams: SpdyStream[] = [];
    const connection = new SpdyConnection(server, (stream) => streams.push(stream));
    const served = connection.serve(Buffer.alloc(0));
    client.write(Buffer.concat([open(1, new HeaderWriter()), controlFrame(frameType.ping, words(77))]));
    client.write(Buffer.concat([dataFrame(1, Buffer.from("hello"), false), dataFrame(1, Buffer.from("!"), true)]));
    await expect.poll(() => streams.length).toBe(1);
    const [stream] = streams;
    if (!stream) throw new Error("no stream was opened");
    expect(stream.headers.get("streamtype")).toBe("type-1");
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(stream, "end");
    expect(text).toBe("hello!");
    stream.end("bye");
    await once(stream, "close");
    connection.close();
    client.end();
    await served;
    const frames = framesOf(sent());
    const kinds = frames.map((one) =>
      one.kind === "data" ? `data ${one.data.toString()}${one.fin ? "." : ""}` : one.type,
    );
    expect(kinds).toEqual([frameType.synReply, frameType.ping, "data bye", "data .", frameType.goAway]);
  });

  test("resets what its user destroys, and lets the client reset", async () => {
    const { client, server, sent } = wire();
    const streams: SpdyStream[] = [];
    const connection = new SpdyConnection(server, (stream) => streams.push(stream));
    const served = connection.serve(Buffer.alloc(0));
    const writer = new HeaderWriter();
    client.write(Buffer.concat([open(1, writer), open(3, writer)]));
    await expect.poll(() => streams.length).toBe(2);
    streams[0]?.destroy();
    client.write(controlFrame(frameType.rstStream, words(3, 5)));
    await expect.poll(() => streams[1]?.destroyed).toBe(true);
    client.end();
    await served;
    const resets = framesOf(sent()).filter((one) => one.kind === "control" && one.type === frameType.rstStream);
    expect(resets.map((one) => (one.kind === "control" ? one.body.readUInt32BE(0) : 0))).toEqual([1]);
  });

  test("survives any bytes: it ends or waits, and never throws elsewhere", async () => {
    await assert(
      asyncProperty(array(uint8Array({ maxLength: 200 }), { maxLength: 5 }), async (chunks) => {
        const { client, server } = wire();
        const connection = new SpdyConnection(server, (stream) => stream.resume());
        const served = connection.serve(Buffer.alloc(0)).catch(() => undefined);
        for (const chunk of chunks) client.write(Buffer.from(chunk));
        client.end();
        await served;
        expect(server.destroyed).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
