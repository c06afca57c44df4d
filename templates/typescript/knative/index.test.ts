import assert from "node:assert/strict";
import { test } from "node:test";
import { handle } from "./index.ts";

test("greets by the body's name, or the query's", async () => {
  assert.deepEqual(await handle({ method: "POST", query: {} }, { name: "you" }), { hello: "you" });
  assert.deepEqual(await handle({ method: "GET", query: { name: "me" } }), { hello: "me" });
});
