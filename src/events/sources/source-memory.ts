/** What a source remembers, as documents of the event log: one text, however long. */
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { EventStore } from "../log/event-store.ts";
import type { SourceMemory } from "./source-reader.ts";

export type Documents = Pick<EventStore, "getDocument" | "putDocument" | "deleteDocument">;

/** Up to here a text is kept as it is. */
const shortText = 8192;
/** NATS takes a megabyte at once; what is longer when it is packed is kept in pieces. */
const pieceBytes = 512 * 1024;
const packed = "gzip";
const inPieces = /^pieces (\d+) (\d+)$/;
const [pack, unpack] = [promisify(gzip), promisify(gunzip)];

export interface KeptMemory extends SourceMemory {
  forget(): Promise<void>;
}

/** `expiresMs` tells until when what is written now is kept. One write at a time; the last complete one is read. */
export function sourceMemory(documents: Documents, name: string, expiresMs: () => number): KeptMemory {
  const pieceName = (generation: number, at: number): string => `${name}/${generation}/${at}`;

  async function piecesOf(): Promise<{ readonly generation: number; readonly count: number } | undefined> {
    const head = await documents.getDocument(name);
    const [, generation, count] = inPieces.exec(head?.text ?? "") ?? [];
    return generation === undefined ? undefined : { generation: Number(generation), count: Number(count) };
  }

  async function removePieces(pieces: Awaited<ReturnType<typeof piecesOf>>): Promise<void> {
    for (let at = 0; at < (pieces?.count ?? 0); at += 1)
      await documents.deleteDocument(pieceName(pieces?.generation ?? 0, at));
  }

  const put = (text: string, data: Uint8Array | undefined, at = name): Promise<void> =>
    documents.putDocument(at, { text, data, expiresMs: expiresMs() });

  return {
    async read() {
      const head = await documents.getDocument(name);
      if (!head) return undefined;
      if (head.text === packed && head.data) return (await unpack(head.data)).toString();
      const pieces = await piecesOf();
      if (!pieces) return head.text;
      const parts: Uint8Array[] = [];
      for (let at = 0; at < pieces.count; at += 1) {
        const part = await documents.getDocument(pieceName(pieces.generation, at));
        if (!part?.data) throw new Error(`what it remembers is not whole: piece ${at + 1} of ${pieces.count} is gone`);
        parts.push(part.data);
      }
      return (await unpack(Buffer.concat(parts))).toString();
    },
    async write(text) {
      const before = await piecesOf();
      const bytes = text.length <= shortText ? undefined : await pack(text);
      if (!bytes) await put(text, undefined);
      else if (bytes.length <= pieceBytes) await put(packed, bytes);
      else {
        const [generation, count] = [(before?.generation ?? 0) + 1, Math.ceil(bytes.length / pieceBytes)];
        for (let at = 0; at < count; at += 1)
          await put("", bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes), pieceName(generation, at));
        // From here on these are the ones that count.
        await put(`pieces ${generation} ${count}`, undefined);
      }
      await removePieces(before);
    },
    async forget() {
      const before = await piecesOf();
      await documents.deleteDocument(name);
      await removePieces(before);
    },
  };
}
