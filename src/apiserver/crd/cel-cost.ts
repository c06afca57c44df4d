/**
 * A bound on what a rule may cost. Rules run inside the server and cannot be interrupted, so the bound is worked out
 * beforehand from the sizes of the values at hand: every node of the expression counts once for each turn of the loops
 * around it. Worked number: `self.a.all(x, self.b.all(y, x != y))` with lists of 1,000 comes to about 4 million.
 * Upstream counts while running and estimates when a CRD is created; this bound is coarser, and on the safe side.
 */
import type { ASTNode } from "@marcbachmann/cel-js";
import { isObject } from "../schema/json-value.ts";

/** One run of one rule. */
export const ruleCostLimit = 10_000_000;
/** All rules over one object. */
export const objectCostLimit = 100_000_000;

const loops = new Set(["all", "exists", "exists_one", "existsOne", "map", "filter"]);

/** How the cost of an expression grows: `nodes[d]` nodes stand inside `d` loops. */
export interface CostShape {
  readonly nodes: readonly number[];
}

export function costShapeOf(ast: ASTNode): CostShape {
  const nodes: number[] = [];
  visitNodes(ast, 0, (depth) => {
    while (nodes.length <= depth) nodes.push(0);
    nodes[depth] = (nodes[depth] ?? 0) + 1;
  });
  return { nodes };
}

/** Cost when no loop runs longer than `longest`. */
export function costOf({ nodes }: CostShape, longest: number): number {
  const turns = Math.max(1, longest);
  return nodes.reduce((total, count, depth) => total + count * turns ** depth, 0);
}

/** Whether a variable is named anywhere in the expression. */
export function names(ast: ASTNode, variable: string): boolean {
  let found = false;
  visitNodes(ast, 0, (_depth, node) => {
    if (node.op === "id" && (node.args as unknown) === variable) found = true;
  });
  return found;
}

function visitNodes(value: unknown, depth: number, visit: (depth: number, node: ASTNode) => void): void {
  if (Array.isArray(value)) {
    for (const inner of value) visitNodes(inner, depth, visit);
    return;
  }
  if (!isObject(value) || typeof value["op"] !== "string") return;
  const node = value as unknown as ASTNode;
  visit(depth, node);
  const args = node.args as unknown;
  if (node.op === "rcall" && Array.isArray(args) && loops.has(String(args[0]))) {
    visitNodes(args[1], depth, visit);
    visitNodes(args[2], depth + 1, visit);
  } else visitNodes(args, depth, visit);
}

/** The most members any list, map or text in the value has: no loop over it runs longer. */
export function longestOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const members = Array.isArray(value) ? (value as unknown[]) : Object.values(value);
  return members.reduce<number>((longest, member) => Math.max(longest, longestOf(member)), members.length);
}
