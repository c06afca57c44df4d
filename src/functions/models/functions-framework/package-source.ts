import { registrySymbol } from "./registry.ts";

export const packageName = "@google-cloud/functions-framework";

/**
 * What functions get when they import the framework: its registration functions and nothing else, since the host is the
 * server. An ES module; CommonJS functions get the same names.
 */
export const packageSource = `
const list = (globalThis[Symbol.for(${JSON.stringify(registrySymbol)})] ??= []);
const add = (signature) => (name, fn) => {
  if (typeof name !== "string" || !/^[A-Za-z](?:[-_A-Za-z0-9]*[A-Za-z0-9])?$/.test(name))
    throw new Error('functions-framework: "' + String(name) + '" is no name for a function: letters, digits, - and _, beginning with a letter');
  const isHandler = typeof fn === "function" || (signature === "typed" && typeof fn?.handler === "function");
  if (!isHandler) throw new Error('functions-framework: what is registered as "' + name + '" is no function');
  list.push({ name, signature, fn });
};
export const http = add("http");
export const cloudEvent = add("cloudevent");
export const typed = add("typed");
export const event = add("event");
export default { http, cloudEvent, typed, event };
`;
