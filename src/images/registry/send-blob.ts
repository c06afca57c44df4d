import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { BlobFiles } from "../blob-files.ts";
import type { Descriptor } from "../oci.ts";
import { about, type RemoteTask } from "./manifests.ts";
import type { OnProgress } from "./progress.ts";
import { explainBreak } from "./registry-answer.ts";
import { ImageError } from "../image-error.ts";
import { mayHeal, one, type RegistryAnswer } from "./registry-client.ts";
import { maxTries, realRetry, waitBefore, type RetryDeps } from "./retry.ts";

export interface BlobSend extends RemoteTask {
  readonly blobs: BlobFiles;
  readonly what: "layer" | "config";
  /** A repository of the same registry that is thought to have the blob. */
  readonly mountFrom?: string;
  readonly progress?: OnProgress;
  readonly retry?: RetryDeps;
}

export type BlobOutcome = "present" | "mounted" | "sent";

/** Larger blobs are sent so that a broken transfer can go on where it stopped. */
const atOnceBytes = 4 << 20;

/**
 * Brings a blob into a repository unless it is there: by a mount from another repository where the registry can, else by
 * an upload. An upload that breaks asks the registry how far it came and goes on from there (distribution spec,
 * "Pushing a blob in chunks").
 */
export async function sendBlob(send: BlobSend, blob: Descriptor): Promise<BlobOutcome> {
  const event = { digest: blob.digest, size: blob.size, what: send.what };
  if (await hasBlob(send, blob.digest)) {
    send.progress?.({ ...event, done: blob.size, state: "present" });
    return "present";
  }
  const { retry = realRetry, signal } = send;
  let tries = 1;
  let furthest = 0;
  let location = await begin(send, blob, true);
  for (; location !== "mounted"; tries += 1) {
    const session: Session = { location, offset: 0 };
    try {
      await upload(send, blob, session);
      send.progress?.({ ...event, done: blob.size, state: "done" });
      return "sent";
    } catch (error) {
      signal?.throwIfAborted();
      if (session.offset > furthest) [furthest, tries] = [session.offset, 1];
      if (!passes(error, tries)) throw explained(send, session.location, error, tries);
      await retry.sleep(waitBefore(tries, undefined, 0, retry.random()), signal);
      if (await hasBlob(send, blob.digest)) return "sent";
      location = await begin(send, blob, false);
    }
  }
  send.progress?.({ ...event, done: blob.size, state: "mounted" });
  return "mounted";
}

interface Session {
  location: string;
  /** Bytes the registry has. */
  offset: number;
}

async function hasBlob(send: BlobSend, digest: string): Promise<boolean> {
  const path = `${send.reference.repository}/blobs/${digest}`;
  const answer = await send.client.ask({ ...about(send, "pull,push"), method: "HEAD", path, allow: [404] });
  await answer.body.dump();
  return answer.status !== 404;
}

/** Opens an upload, or has the blob mounted. Resolves to where to send it. */
async function begin(send: BlobSend, blob: Descriptor, mayMount: boolean): Promise<string> {
  const { repository } = send.reference;
  const from = mayMount ? send.mountFrom : undefined;
  const query = from === undefined ? "" : `?${new URLSearchParams({ mount: blob.digest, from })}`;
  const shared = about(send, "pull,push");
  const scope = from === undefined ? shared.scope : `${shared.scope} repository:${from}:pull`;
  const request = { ...shared, method: "POST", headers: { "content-length": "0" } } as const;
  let answer = await send.client.ask({
    ...request,
    scope,
    path: `${repository}/blobs/uploads/${query}`,
    ...(from === undefined ? {} : { allow: [401, 403, 404] }),
  });
  await answer.body.dump();
  // Whoever may not read the other repository uploads.
  if (answer.status >= 400) {
    answer = await send.client.ask({ ...request, path: `${repository}/blobs/uploads/` });
    await answer.body.dump();
  }
  return answer.status === 201 ? "mounted" : locationOf(send, answer);
}

function locationOf(send: BlobSend, answer: RegistryAnswer): string {
  const location = one(answer.headers["location"]);
  if (location === undefined)
    throw new ImageError("protocol", `cannot ${send.task}: ${answer.url} does not say where to send a blob`);
  return new URL(location, answer.url).href;
}

async function upload(send: BlobSend, blob: Descriptor, session: Session): Promise<void> {
  if (blob.size > atOnceBytes) await sendRest(send, blob, session);
  const url = new URL(session.location);
  url.searchParams.set("digest", blob.digest);
  const whole = blob.size <= atOnceBytes;
  const answer = await send.client.ask({
    ...about(send, "pull,push"),
    method: "PUT",
    path: url.href,
    headers: { "content-length": whole ? String(blob.size) : "0", "content-type": "application/octet-stream" },
    ...(whole ? { body: () => Readable.from(read(send, blob, 0)) } : {}),
    retry: false,
  });
  await answer.body.dump();
}

/** Sends what the registry does not have yet; asks how much that is when the connection broke. */
async function sendRest(send: BlobSend, blob: Descriptor, session: Session): Promise<void> {
  const { retry = realRetry, signal } = send;
  for (let tries = 1; session.offset < blob.size; tries += 1) {
    const before = session.offset;
    try {
      await patch(send, blob, session);
    } catch (error) {
      signal?.throwIfAborted();
      if (!passes(error, tries)) throw error;
      await retry.sleep(waitBefore(tries, undefined, 0, retry.random()), signal);
      await askHowFar(send, session);
      if (session.offset > before) tries = 1;
    }
  }
}

async function patch(send: BlobSend, blob: Descriptor, session: Session): Promise<void> {
  const { offset } = session;
  const answer = await send.client.ask({
    ...about(send, "pull,push"),
    method: "PATCH",
    path: session.location,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(blob.size - offset),
      // The first piece is sent as every client sends it; some registries know nothing of chunks.
      ...(offset > 0 ? { "content-range": `${offset}-${blob.size - 1}` } : {}),
    },
    body: () => Readable.from(read(send, blob, offset)),
    retry: false,
  });
  await answer.body.dump();
  session.location = locationOf(send, answer);
  session.offset = blob.size;
}

async function askHowFar(send: BlobSend, session: Session): Promise<void> {
  const answer = await send.client.ask({ ...about(send, "pull,push"), method: "GET", path: session.location });
  await answer.body.dump();
  const end = Number(/^(?:bytes=)?0-(\d+)$/.exec(one(answer.headers["range"]) ?? "")?.[1] ?? 0);
  session.offset = end === 0 ? 0 : end + 1;
  session.location = new URL(one(answer.headers["location"]) ?? session.location, answer.url).href;
}

async function* read(send: BlobSend, blob: Descriptor, from: number): AsyncGenerator<Uint8Array> {
  let done = from;
  const file = createReadStream(send.blobs.file(blob.digest), { start: from, highWaterMark: 1 << 18 });
  for await (const chunk of file as AsyncIterable<Buffer>) {
    yield chunk;
    done += chunk.byteLength;
    send.progress?.({ digest: blob.digest, size: blob.size, done, state: "moving", what: send.what });
  }
}

/** Whether another try may do. A forgotten upload (404) and a disputed range (416) begin again. */
function passes(error: unknown, tries: number): boolean {
  if (tries >= maxTries) return false;
  if (!(error instanceof ImageError)) return mayHeal(error, tries);
  const { reason, message } = error;
  return ["unavailable", "throttled", "not-found"].includes(reason) || message.includes(" answered 416");
}

function explained(send: BlobSend, url: string, error: unknown, tries: number): unknown {
  if (error instanceof ImageError) return error;
  return explainBreak({ ...about(send), method: "PATCH", url }, error, tries);
}
