import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isImageError } from "../../../images/image-error.ts";
import { imageBudget, unpackLayer } from "../../../images/unpack-layer.ts";
import type { PushedLayer, PushRefusal } from "../protocol.ts";
import type { ByteReader } from "./byte-reader.ts";

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
  for (const [i, { digest, size }] of layers.entries()) {
    const spool = join(spoolDir, `ebb-claim-${process.pid}-${i}.tar`);
    const what = `layer ${i + 1} of the claim`;
    try {
      if (!(await receive(from, size, spool))) return false;
      const facts = await unpackLayer(spool, appDir, { what, ownership: "strip", below: "app", budget });
      if (facts.digest !== digest) throw new Refusal("Damaged", `${what} is ${facts.digest}, not ${digest}`);
    } catch (error) {
      throw isImageError(error) ? new Refusal("Damaged", error.message, { cause: error }) : error;
    } finally {
      await rm(spool, { force: true });
    }
  }
  return true;
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
