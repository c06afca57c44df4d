import { cloneJson, getOwn, isObject, setOwn, type JsonObject } from "../schema/json-value.ts";

/** RFC 7386: objects merge, null removes, anything else replaces. The result shares nothing with its inputs. */
export function mergePatch(target: Readonly<JsonObject>, patch: Readonly<JsonObject>): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(target)) {
    if (!Object.hasOwn(patch, key)) setOwn(result, key, cloneJson(target[key]));
    else if (patch[key] !== null) setOwn(result, key, mergeValue(target[key], patch[key]));
  }
  for (const key of Object.keys(patch)) {
    if (!Object.hasOwn(target, key) && patch[key] !== null) {
      setOwn(result, key, mergeValue(undefined, getOwn(patch, key)));
    }
  }
  return result;
}

function mergeValue(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return cloneJson(patch);
  return mergePatch(isObject(target) ? target : {}, patch);
}
