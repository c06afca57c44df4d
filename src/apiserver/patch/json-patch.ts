/**
 * JSON Patch (RFC 6902) with what Kubernetes' library does beyond it: `replace` of a member that is not there adds it,
 * and negative list positions count from the end. Our own, because object keys here come from users: the npm libraries
 * refuse or misplace members named `constructor` or `__proto__`, which ConfigMaps may have.
 */
import { badRequest, failure, tooLarge, type ApiError } from "../../api/meta/errors.ts";
import { checkNesting } from "../decode/nesting.ts";
import { cloneJson, getOwn, isObject, jsonEqual, setOwn, type JsonObject } from "../schema/json-value.ts";

const maxOperations = 10_000;
/** Copies double a document with every operation: together they may add as much as a body may hold. */
const maxCopiedBytes = 3 * 1024 * 1024;

/**
 * Applies the operations in order to a copy. Throws 400 when the patch is no list of operations, 413 for more than
 * 10,000 of them, and 422 naming the operation that failed.
 */
export function jsonPatch(target: Readonly<JsonObject>, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw badRequest("error decoding patch: a JSON patch is a list of operations");
  if (patch.length > maxOperations)
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`);
  let document: unknown = cloneJson(target);
  const budget = { copiedBytes: 0 };
  patch.forEach((operation: unknown, index) => {
    if (!isObject(operation)) throw badRequest(`error decoding patch: operation ${index} is no object`);
    try {
      document = applyOperation(document, operation, budget);
    } catch (error) {
      if (!(error instanceof OperationFailed)) throw error;
      throw unprocessable(
        `operation ${index} (${String(operation["op"])} ${String(operation["path"])}): ${error.message}`,
      );
    }
  });
  if (!isObject(document)) throw unprocessable("the patch leaves no object");
  return document;
}

const unprocessable = (why: string): ApiError =>
  failure(422, "Invalid", `the server rejected our request due to an error in our request: ${why}`, {});

class OperationFailed extends Error {}

/** The document after one operation; containers along the path are changed in place. */
function applyOperation(document: unknown, operation: JsonObject, budget: { copiedBytes: number }): unknown {
  const path = pointer(operation, "path");
  switch (operation["op"]) {
    case "add":
      return add(document, path, cloneJson(operation["value"]));
    case "remove":
      return remove(document, path).document;
    case "replace":
      return replace(document, path, cloneJson(operation["value"]));
    case "move": {
      const { document: rest, value } = remove(document, pointer(operation, "from"));
      return add(rest, path, value);
    }
    case "copy": {
      const text = JSON.stringify(find(document, pointer(operation, "from")));
      budget.copiedBytes += text.length;
      if (budget.copiedBytes > maxCopiedBytes)
        throw tooLarge(`the copies of the JSON patch add more than ${maxCopiedBytes} bytes`);
      checkNesting(text);
      return add(document, path, JSON.parse(text));
    }
    case "test":
      return test(document, path, operation["value"]);
    default:
      throw new OperationFailed(`unexpected kind: ${JSON.stringify(operation["op"])}`);
  }
}

function pointer(operation: JsonObject, member: "path" | "from"): readonly string[] {
  const text = operation[member];
  if (typeof text !== "string") throw new OperationFailed(`"${member}" is missing`);
  if (text === "") return [];
  if (!text.startsWith("/")) throw new OperationFailed(`"${text}" is no JSON pointer: it must start with "/"`);
  return text
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The value at a path; throws when nothing is there. */
function find(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const token of path) {
    if (Array.isArray(value)) value = value[position(token, value.length - 1)];
    else if (isObject(value) && Object.hasOwn(value, token)) value = value[token];
    else throw new OperationFailed(`nothing is at "${token}"`);
  }
  return value;
}

function add(document: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = find(document, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(last === "-" ? parent.length : position(last, parent.length), 0, value);
  else setOwn(container(parent), last, value);
  return document;
}

function replace(document: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = find(document, path.slice(0, -1));
  if (Array.isArray(parent)) parent[position(last, parent.length - 1)] = value;
  else setOwn(container(parent), last, value);
  return document;
}

function remove(document: unknown, path: readonly string[]): { document: unknown; value: unknown } {
  const last = path.at(-1);
  if (last === undefined) throw new OperationFailed("the whole document cannot be removed");
  const parent = find(document, path.slice(0, -1));
  if (Array.isArray(parent)) return { document, value: parent.splice(position(last, parent.length - 1), 1)[0] };
  const object = container(parent);
  if (!Object.hasOwn(object, last)) throw new OperationFailed(`unable to remove nonexistent key: ${last}`);
  const value = object[last];
  delete object[last];
  return { document, value };
}

function test(document: unknown, path: readonly string[], expected: unknown): unknown {
  const last = path.at(-1);
  const parent = last === undefined ? undefined : find(document, path.slice(0, -1));
  // A member that is not there tests equal to null.
  const actual = last !== undefined && isObject(parent) ? (getOwn(parent, last) ?? null) : find(document, path);
  if (!jsonEqual(actual, expected ?? null)) throw new OperationFailed(`testing value /${path.join("/")} failed`);
  return document;
}

function container(parent: unknown): JsonObject {
  if (isObject(parent)) return parent;
  throw new OperationFailed("the parent is neither an object nor a list");
}

/** A list position of at most `max`; negative ones count from behind the last. */
function position(token: string, max: number): number {
  if (!/^-?(?:0|[1-9]\d*)$/.test(token)) throw new OperationFailed(`"${token}" is no list position`);
  const index = Number(token) < 0 ? Number(token) + max + 1 : Number(token);
  if (index < 0 || index > max) throw new OperationFailed(`list position ${token} is out of bounds`);
  return index;
}
