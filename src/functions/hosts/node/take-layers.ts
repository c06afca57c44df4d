import { createHash } from "node:crypto";
import { open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isImageError } from "../../../images/image-error.ts";
import { imageBudget, unpackLayer } from "../../../images/unpack-layer.ts";
import type { PushedLayer, PushRefusal } from "../protocol.ts";
import type { ByteReader } from "./byte-reader.ts";
import { unpackQuickly } from "./unpack-quickly.ts";

export interface LayerPlace {
  /** Where a function's files go: what its layers have below `/app`. Exists; nobody else writes to it. */
  readonly appDir: string;
  /** Where layers lie while they arrive. */
  readonly spoolDir: string;
}

/** What stands in the way of a claim. */
export class Refusal extends Error {
  readonly reason: PushRefusal;

  constructor(reason: PushRefusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Receives layers and unpacks them, each checked against its digest. Rejects with Refusal for layers that are not what
 * they should be; resolves to false when the sender leaves half-way. What was unpacked until then is the caller's to
 * remove.
 */
export async function takeLayers(
  from: ByteReader,
  layers: readonly PushedLayer[],
  { appDir, spoolDir }: LayerPlace,
): Promise<boolean> {
  const budget = imageBudget();
  let quick = true;
  for (const [i, layer] of layers.entries()) {
    const what = `layer ${i + 1} of the claim`;
    if (quick && layer.size <= smallLayer) {
      const bytes = await receiveSmall(from, layer, what);
      if (!bytes) return false;
      if (unpackQuickly(bytes, "app", appDir)) continue;
      quick = false;
      await unpack(bytes, layer, what);
    } else {
      quick = false;
      if (!(await unpack(from, layer, what))) return false;
    }
  }
  return true;

  /** The general way, by a file. */
  async function unpack(source: ByteReader | Buffer, { digest, size }: PushedLayer, what: string): Promise<boolean> {
    const spool = join(spoolDir, `ebb-claim-${process.pid}.tar`);
    try {
      if (Buffer.isBuffer(source)) await writeFile(spool, source, { mode: 0o600 });
      else if (!(await receive(source, size, spool))) return false;
      const facts = await unpackLayer(spool, appDir, { what, ownership: "strip", below: "app", budget });
      if (facts.digest !== digest) throw damaged(what, facts.digest, digest);
    } catch (error) {
      throw isImageError(error) ? new Refusal("Damaged", error.message, { cause: error }) : error;
    } finally {
      await rm(spool, { force: true });
    }
    return true;
  }
}

/** A layer of this size is gathered in memory. */
const smallLayer = 1 << 20;

const damaged = (what: string, is: string, digest: string): Refusal =>
  new Refusal("Damaged", `${what} is ${is}, not ${digest}`);

/** Undefined when the sender leaves half-way. */
async function receiveSmall(
  from: ByteReader,
  { digest, size }: PushedLayer,
  what: string,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  if (!(await from.bytes(size, (piece) => void pieces.push(piece)))) return undefined;
  const bytes = Buffer.concat(pieces);
  const found = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  if (found !== digest) throw damaged(what, found, digest);
  return bytes;
}

async function receive(from: ByteReader, size: number, file: string): Promise<boolean> {
  await using handle = await open(file, "w", 0o600);
  return await from.bytes(size, async (piece) => {
    for (let done = 0; done < piece.length;) done += (await handle.write(piece, done)).bytesWritten;
  });
}

/** Takes away all a claim brought. */
export async function clearApp({ appDir }: Pick<LayerPlace, "appDir">): Promise<void> {
  for (const name of await readdir(appDir)) await rm(join(appDir, name), { recursive: true, force: true });
}
