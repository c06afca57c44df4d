import { servingKeys } from "../../api/serving/keys.ts";

/** What an object's annotations ask of http; undefined: as the setting http-protocol says. */
export function httpOptionOf(
  annotations: Readonly<Record<string, string>> | undefined,
): "Enabled" | "Redirected" | undefined {
  const text = (annotations?.[servingKeys.httpOption] ?? annotations?.[servingKeys.httpProtocol])?.toLowerCase();
  if (text === "enabled") return "Enabled";
  return text === "redirected" ? "Redirected" : undefined;
}
