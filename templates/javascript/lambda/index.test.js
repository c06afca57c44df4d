import assert from "node:assert/strict";
import { test } from "node:test";
import { handler } from "./index.js";

test("greets by name", async () => {
  const { statusCode, body } = await handler({ queryStringParameters: { name: "you" } });
  assert.equal(statusCode, 200);
  assert.deepEqual(JSON.parse(body), { hello: "you" });
});
