import { expect, test } from "vitest";
import { clockFindings } from "./check-clocks.ts";

const serverMs = Date.UTC(2030, 0, 1);
const lease = (renewedMs: number) => ({ node: "n1", renewedMs });

test.each([
  ["all agree", { hereMs: serverMs + 900, serverMs, leases: [lease(serverMs - 9000)] }, []],
  ["this machine is ahead", { hereMs: serverMs + 90_000, serverMs, leases: [] }, ["90 s ahead"]],
  ["this machine is behind", { hereMs: serverMs - 7000, serverMs, leases: [] }, ["7 s behind"]],
  ["a node is ahead", { hereMs: serverMs, serverMs, leases: [lease(serverMs + 20_000)] }, ["node n1 is 20 s ahead"]],
  ["a node is silent", { hereMs: serverMs, serverMs, leases: [lease(serverMs - 50_000)] }, ["50 s ago"]],
])("%s", (_name, clocks, said) => {
  const problems = clockFindings(clocks).filter(({ level }) => level === "problem");
  expect(problems).toHaveLength(said.length);
  for (const [index, text] of said.entries()) expect(problems[index]?.what).toContain(text);
});
