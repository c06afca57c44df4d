import assert from "node:assert/strict";
import { test } from "node:test";
import hello from "./index.ts";

test("greets by name", async () => {
  const response = hello.fetch(new Request("http://localhost/?name=you"));
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "Hello, you!\n");
});
