/** IntegrationSink spec.log: events in ebb's own log, one line each. */
import { isJsonType } from "../../api/cloudevents/cloud-event.ts";
import type { Log } from "../../api/sinks/types.gen.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { StoredEvent } from "../wire/stored-event.ts";
import type { OpenSink } from "./sink-action.ts";

/** Data that is longer is cut: a line is for people. */
const longestShown = 16 * 1024;

/** What Camel's logger writes at TRACE is `debug` here; OFF takes events and writes none. */
const levels: Readonly<Record<string, "debug" | "info" | "warn" | "error" | undefined>> = {
  TRACE: "debug",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
};

/** Attributes and data that look like these are masked where logMask asks for it. */
const secretName = /pass(word|phrase|wd)?|secret|token|api[-_]?key|authorization|access[-_]?key/i;

export function openLogSink(of: Pick<OpenSink, "key" | "uid">, settings: Log, log: Logger): OpenSink {
  const { loggerName = "log-sink", marker } = settings;
  const named = log.with({ logger: loggerName, sink: of.key, ...(marker ? { marker } : {}) });
  const level = levels[settings.level ?? "INFO"];
  return {
    ...of,
    batches: true,
    take(event) {
      if (level) for (const [message, fields] of linesOf(event, settings)) named[level](message, fields);
      return Promise.resolve({ status: 202 });
    },
  };
}

type Line = readonly [string, Readonly<Record<string, unknown>>];

/** One line, or one for each part where `multiline` asks for it. */
export function linesOf(event: StoredEvent, settings: Log): readonly Line[] {
  const { attributes, data } = event;
  const all = settings.showAllProperties === true;
  const parts: [string, unknown][] = [["id", attributes["id"]]];
  if (all || settings.showExchangePattern !== false) parts.push(["exchangePattern", "InOnly"]);
  if (all || settings.showHeaders || settings.showProperties)
    parts.push(["attributes", settings.logMask ? masked(attributes) : attributes]);
  if (all || settings.showBodyType !== false)
    parts.push(["bodyType", data === undefined ? null : (attributes["datacontenttype"] ?? "application/octet-stream")]);
  if (all || settings.showBody !== false) parts.push(["body", bodyOf(event, settings.logMask === true)]);
  if (settings.multiline !== true) return [["event", Object.fromEntries(parts)]];
  return parts.map((part) => ["event", { id: attributes["id"], [part[0]]: part[1] }]);
}

function bodyOf({ attributes, data }: StoredEvent, mask: boolean): unknown {
  if (data === undefined) return null;
  const type = attributes["datacontenttype"];
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const text = bytes.subarray(0, longestShown).toString("utf8");
  const shown = bytes.length > longestShown ? `${text}… (${bytes.length} bytes)` : text;
  if (typeof type !== "string" || !isJsonType(type) || bytes.length > longestShown)
    return mask ? maskedText(shown) : shown;
  try {
    const value: unknown = JSON.parse(text);
    return mask ? masked(value) : value;
  } catch {
    return mask ? maskedText(shown) : shown;
  }
}

/** The value with what goes by a secret's name hidden. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, secretName.test(name) ? "xxxxx" : masked(member)]),
  );
}

/** `password=abc` and the like in text. */
const maskedText = (text: string): string =>
  text.replaceAll(
    /\b([\w-]*(?:password|passphrase|secret|token|api[-_]?key|access[-_]?key)[\w-]*)(\s*[=:]\s*)[^\s,;&]+/gi,
    "$1$2xxxxx",
  );
