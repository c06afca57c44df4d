import { type Pair, toLines } from "./forward-pairs.ts";
import type { HeadFault } from "./head-parser.ts";
import type { HeadProblem } from "./request-head.ts";
import type { LocalAnswer } from "./sides.ts";

/** Reason phrases. Importing node:http by name would load what only its lazy exports need: 9 MB and 20 ms. */
const { STATUS_CODES } = process.getBuiltinModule("node:http");

/** One line of text, or nothing. */
export function bodyOf({ reason, exact }: LocalAnswer): string {
  return reason === "" || exact === true ? reason : `${reason}\n`;
}

/** An answer of the router's own as an HTTP/1.1 message: one line of text, and whether the connection ends. */
export function makeAnswerText(answer: LocalAnswer, close: boolean, withBody: boolean): string {
  const body = bodyOf(answer);
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? "Error"}`,
    "Content-Type: text/plain; charset=utf-8",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (answer.retryAfterS !== undefined) lines.push(`Retry-After: ${answer.retryAfterS}`);
  if (answer.location !== undefined) lines.push(`Location: ${answer.location}`);
  if (close) lines.push("Connection: close");
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  // Written as latin1: the reason may quote an app's last words in any alphabet.
  return withBody ? text + Buffer.from(body, "utf8").toString("latin1") : text;
}

/** What a client that breaks the rules is told; the connection ends, since nothing after it can be trusted. */
export const faultAnswers: Readonly<Record<HeadFault, LocalAnswer>> = {
  malformed: { status: 400, reason: "malformed request head", close: true },
  version: { status: 505, reason: "only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here", close: true },
  "line-too-long": { status: 414, reason: "request line too long", close: true },
  "head-too-large": { status: 431, reason: "request head too large", close: true },
  "too-many-headers": { status: 431, reason: "too many header lines", close: true },
};
export const badChunks: LocalAnswer = { status: 400, reason: "malformed chunked body", close: true };
export const tooLarge: LocalAnswer = { status: 413, reason: "request body too large", close: true };
export const slowHead: LocalAnswer = { status: 408, reason: "request head took too long", close: true };
export const slowBody: LocalAnswer = { status: 408, reason: "request body took too long", close: true };

export function asAnswer(problem: HeadProblem | undefined): LocalAnswer | undefined {
  return problem === undefined ? undefined : { ...problem, close: true };
}

/** The head of a response that came from an HTTP/2 app, as HTTP/1.1. A header that cannot be written is left out. */
export function makeHeadText(
  status: number,
  pairs: readonly Pair[],
  framing: { readonly chunked: boolean; readonly connection: string | undefined },
): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  for (const pair of pairs) text += toLines([pair]) ?? "";
  if (framing.chunked) text += "Transfer-Encoding: chunked\r\n";
  if (framing.connection !== undefined) text += `Connection: ${framing.connection}\r\n`;
  return `${text}\r\n`;
}

export const unknownHost: LocalAnswer = Object.freeze({ status: 404, reason: "no service answers to this host" });
export const goneRevision: LocalAnswer = Object.freeze({ status: 404, reason: "the revision no longer exists" });
