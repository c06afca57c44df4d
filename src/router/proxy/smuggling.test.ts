/** Requests that two parsers could read differently: each is refused before anything reaches an app. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Harness, RawClient, startHarness } from "../testing/router-harness.ts";

let harness: Harness;
const seen: string[] = [];

beforeEach(async () => {
  seen.length = 0;
  harness = await startHarness();
  harness.ready(
    await harness.app((req, res) => {
      seen.push(`${req.method} ${req.url}`);
      req.resume().on("end", () => res.end("reached"));
    }),
  );
});
afterEach(() => harness.stop());

const head = (...lines: string[]): string =>
  `POST / HTTP/1.1\r\nHost: app.test\r\n${lines.map((l) => `${l}\r\n`).join("")}\r\n`;
const hidden = "GET /hidden HTTP/1.1\r\nHost: app.test\r\n\r\n";

const refusedHeads: Readonly<Record<string, string>> = {
  "Content-Length and Transfer-Encoding": head("Content-Length: 5", "Transfer-Encoding: chunked"),
  "Transfer-Encoding and Content-Length": head("Transfer-Encoding: chunked", "Content-Length: 5"),
  "two different lengths": head("Content-Length: 5", "Content-Length: 6"),
  "two equal lengths": head("Content-Length: 5", "Content-Length: 5"),
  "a list of lengths": head("Content-Length: 5, 5"),
  "a signed length": head("Content-Length: +5"),
  "a negative length": head("Content-Length: -5"),
  "a hexadecimal length": head("Content-Length: 0x5"),
  "an empty length": head("Content-Length:"),
  "a length with a space inside": head("Content-Length: 1 0"),
  "a length beyond counting": head("Content-Length: 99999999999999999999"),
  "an unknown transfer coding": head("Transfer-Encoding: xchunked"),
  "chunked not alone": head("Transfer-Encoding: gzip, chunked"),
  "chunked twice": head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
  "chunked then identity": head("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
  "a quoted coding": head('Transfer-Encoding: "chunked"'),
  "a vertical tab before the coding": head("Transfer-Encoding: \x0bchunked"),
  "a space before the colon": head("Transfer-Encoding : chunked"),
  "a tab before the colon": head("Content-Length\t: 5"),
  "a folded header": head("X-A: b", " folded: c"),
  "a folded first header": `POST / HTTP/1.1\r\n Host: app.test\r\n\r\n`,
  "a bare LF after a header": "GET / HTTP/1.1\r\nHost: app.test\nX: y\r\n\r\n",
  "bare LF everywhere": "GET / HTTP/1.1\nHost: app.test\n\n",
  "a bare CR in a value": head("X-A: b\rX-B: c"),
  "a bare CR in the request line": "GET /\r HTTP/1.1\r\nHost: app.test\r\n\r\n",
  "a NUL in a value": head("X-A: b\0c"),
  "a NUL in a name": head("X\0A: b"),
  "a header without a name": head(": b"),
  "a header without a colon": head("novalue"),
  "a name with a brace": head("a{b}: c"),
  "a name of another alphabet": head("n\xe4me: c"),
  "two hosts": "GET / HTTP/1.1\r\nHost: app.test\r\nHost: app.test\r\n\r\n",
  "no host": "GET / HTTP/1.1\r\n\r\n",
  "a host with a slash": "GET / HTTP/1.1\r\nHost: app.test/x\r\n\r\n",
  "a host with user info": "GET / HTTP/1.1\r\nHost: a@app.test\r\n\r\n",
  "a host with a space": "GET / HTTP/1.1\r\nHost: app.test x\r\n\r\n",
  "three words too many": "GET / x HTTP/1.1\r\nHost: app.test\r\n\r\n",
  "two spaces": "GET  / HTTP/1.1\r\nHost: app.test\r\n\r\n",
  "a tab for a space": "GET\t/ HTTP/1.1\r\nHost: app.test\r\n\r\n",
  "a leading space": " GET / HTTP/1.1\r\nHost: app.test\r\n\r\n",
  "no version (HTTP/0.9)": "GET /\r\nHost: app.test\r\n\r\n",
  "a lower-case version": "GET / http/1.1\r\nHost: app.test\r\n\r\n",
  "a version with a suffix": "GET / HTTP/1.10\r\nHost: app.test\r\n\r\n",
  "a method that is no token": "G(T / HTTP/1.1\r\nHost: app.test\r\n\r\n",
  "a target that is neither path nor URL": "GET app.test HTTP/1.1\r\nHost: app.test\r\n\r\n",
  "Transfer-Encoding in HTTP/1.0": "POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n",
};

describe("a head with", () => {
  test.each(Object.entries(refusedHeads))("%s gets 400 and the end of the connection", async (_name, text) => {
    const client = new RawClient(harness.port).send(text + hidden);
    const answer = await client.toEnd();
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.match(/^HTTP\/1\.1/gm)).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  test.each([
    ["another version", "GET / HTTP/3.0\r\nHost: app.test\r\n\r\n", 505],
    ["CONNECT", "CONNECT app.test:80 HTTP/1.1\r\nHost: app.test\r\n\r\n", 405],
    ["an expectation nobody knows", head("Expect: cake"), 417],
  ])("%s is refused with its own status", async (_name, text, status) => {
    const client = new RawClient(harness.port).send(text);
    expect(await client.toEnd()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(seen).toEqual([]);
  });
});

const badChunks: Readonly<Record<string, string>> = {
  "no size": "\r\n",
  "a size that is no number": "xyz\r\n",
  "a signed size": "+5\r\nhello\r\n0\r\n\r\n",
  "a size with 0x": "0x5\r\nhello\r\n0\r\n\r\n",
  "a space before the size": " 5\r\nhello\r\n0\r\n\r\n",
  "a space after the size": "5 \r\nhello\r\n0\r\n\r\n",
  "a size beyond counting": "fffffffffffffffff\r\nhello",
  "a size ended by LF alone": "5\nhello\r\n0\r\n\r\n",
  "a size ended by CR and something": "5\rxhello",
  "data longer than its size": "5\r\nhello!\r\n0\r\n\r\n",
  "data without an end": "5\r\nhello0\r\n\r\n",
  "a LF in an extension": "5;a\nb\r\nhello\r\n0\r\n\r\n",
  "a trailer with a space before its colon": "0\r\nX-A : b\r\n\r\n",
  "a folded trailer": "0\r\nX-A: b\r\n c\r\n\r\n",
  "a trailer ended by LF alone": "0\r\nX-A: b\n\r\n",
  "Content-Length as a trailer": "0\r\nContent-Length: 5\r\n\r\n",
  "Host as a trailer": "0\r\nHost: other\r\n\r\n",
  "a platform header as a trailer": "0\r\nK-Secret: x\r\n\r\n",
};

describe("a chunked body with", () => {
  test.each(Object.entries(badChunks))("%s gets 400, and the app no whole request", async (_name, text) => {
    const client = new RawClient(harness.port).send(head("Transfer-Encoding: chunked") + text + hidden);
    const answer = await client.toEnd();
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).not.toContain("reached");
    expect(seen).not.toContain("GET /hidden");
  });
});

describe("what is allowed", () => {
  test.each([
    ["an empty line before the request", `\r\n${hidden}`],
    [
      "any case of names and of chunked",
      "POST /hidden HTTP/1.1\r\nhOST: app.test\r\nTRANSFER-encoding: Chunked\r\n\r\n0\r\n\r\n",
    ],
    ["blanks around values", "GET /hidden HTTP/1.1\r\nHost: \t app.test \t\r\nX:\r\n\r\n"],
    [
      "chunk extensions and upper-case sizes",
      `POST /hidden HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\nA;x="y"\r\n0123456789\r\n0\r\nX-A: b\r\n\r\n`,
    ],
    ["bytes above ASCII in values and target", "GET /hidden HTTP/1.1\r\nHost: app.test\r\nX-A: \xe4\xf6\r\n\r\n"],
  ])("%s", async (_name, text) => {
    const client = new RawClient(harness.port).send(text);
    await client.until("reached");
    client.destroy();
    expect(seen[0]).toMatch(/\/hidden$/);
  });
});
