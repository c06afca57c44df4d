import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Drain } from "../hosts/node/drain.ts";

export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void;

/** What a model makes of a function: something a server of node:http can be given. */
export interface ServedFunction {
  readonly request: RequestListener;
  readonly upgrade?: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** What an entry module exports, by name. A CommonJS module's one value is `default`. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/** What the host tells a model's adapter. Adapters are loaded when a function needs them, not before. */
export interface ModelContext {
  /** Absolute path of the entry module, for messages. */
  readonly entry: string;
  readonly exports: ModuleExports;
  /** The export or registered name that was asked for. */
  readonly target?: string;
  /** What the function receives, for models with several signatures. */
  readonly signature?: string;
  /** The function's environment: the one that it was given, with PORT. */
  readonly env: Readonly<Record<string, string>>;
  readonly drain: Drain;
}
