import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { answer } from "./answer.ts";

test("greets by name", async () => {
  const server = createServer(answer).listen(0);
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://localhost:${port}/?name=you`);
    assert.equal(await response.text(), "Hello, you!\n");
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
