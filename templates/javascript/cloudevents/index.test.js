import assert from "node:assert/strict";
import { test } from "node:test";
import { event } from "./index.js";

test("replies to an event with its data", () => {
  const reply = event({ id: "1", type: "order.placed", source: "/shop", data: { total: 42 } });
  assert.deepEqual(reply.data, { to: "1", data: { total: 42 } });
});
