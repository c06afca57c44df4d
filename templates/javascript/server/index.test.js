import assert from "node:assert/strict";
import { createServer } from "node:http";

import { test } from "node:test";
import { answer } from "./answer.js";

test("greets by name", async () => {
  const server = createServer(answer).listen(0);
  try {
    const { port } = server.address();
    const response = await fetch(`http://localhost:${port}/?name=you`);
    assert.equal(await response.text(), "Hello, you!\n");
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
