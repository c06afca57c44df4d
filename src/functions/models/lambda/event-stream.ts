import type { FunctionError } from "./invocation.ts";

/**
 * One message of application/vnd.amazon.eventstream: total length, header length, CRC of these; headers as name, type 7
 * (string), value; payload; CRC of all before. Lengths are big-endian.
 */
export function encodeMessage(headers: Readonly<Record<string, string>>, payload: Uint8Array): Buffer {
  const { crc32 } = process.getBuiltinModule("node:zlib");
  const head = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const [key, text] = [Buffer.from(name), Buffer.from(value)];
      const length = Buffer.alloc(2);
      length.writeUInt16BE(text.length);
      return Buffer.concat([Buffer.from([key.length]), key, Buffer.from([7]), length, text]);
    }),
  );
  const total = 16 + head.length + payload.length;
  const message = Buffer.alloc(total);
  message.writeUInt32BE(total, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  head.copy(message, 12);
  message.set(payload, 12 + head.length);
  message.writeUInt32BE(crc32(message.subarray(0, total - 4)), total - 4);
  return message;
}

export const payloadChunk = (bytes: Uint8Array): Buffer =>
  encodeMessage(
    { ":message-type": "event", ":event-type": "PayloadChunk", ":content-type": "application/octet-stream" },
    bytes,
  );

export function invokeComplete(error: FunctionError | undefined, logTail: string | undefined): Buffer {
  const body = {
    ...(error === undefined ? {} : { ErrorCode: error.errorType, ErrorDetails: JSON.stringify(error) }),
    ...(logTail === undefined ? {} : { LogResult: logTail }),
  };
  return encodeMessage(
    { ":message-type": "event", ":event-type": "InvokeComplete", ":content-type": "application/json" },
    Buffer.from(JSON.stringify(body)),
  );
}
