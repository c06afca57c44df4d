/**
 * What ebb and a host say to each other: one JSON object per line over the host's file descriptor 3, a socket that
 * nobody else holds. When it closes, ebb is gone and the host ends itself.
 */

/** How a function takes requests, one folder each under `models/`; `auto` asks the module's exports. */
export const functionModels = [
  "auto",
  "fetch",
  "node-http",
  "server",
  "cloudevents",
  "knative",
  "functions-framework",
  "lambda",
  "lambda-runtime",
  "asgi",
  "wsgi",
  "stdio",
] as const;
export type FunctionModel = (typeof functionModels)[number];

export type HostName = "node" | "python";

/** ebb → host, once in a host's life. */
export interface ClaimMessage {
  readonly type: "claim";
  /** Absolute path of the module to import. */
  readonly entry: string;
  readonly model: FunctionModel;
  /** The export or registered name that takes requests, for models that need one. */
  readonly target?: string;
  /** What the function receives, for models with several signatures. */
  readonly signature?: string;
  /** The whole environment of the function; PORT is added by the host. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Absolute paths where modules are looked for after the function's own: installed dependencies. Python only. */
  readonly modulePaths?: readonly string[];
  /** Where compiled code is kept between starts. */
  readonly compileCache?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** The whole function must be loaded within this time. */
  readonly loadTimeoutMs: number;
}

/** Why a function did not load; `message` is for its owner: with stack, file and line. */
export interface HostFailure {
  readonly type: "failed";
  readonly reason:
    | "ImportFailed"
    /** No export takes requests, or not the one that was asked for. */
    | "NoHandler"
    /** More than one could be meant. */
    | "AmbiguousHandler"
    /** The function's own init() threw. */
    | "InitFailed"
    | "PortIgnored"
    | "NeverListens"
    | "LoadTimeout"
    | "UserNotAllowed";
  readonly message: string;
}

export type HostMessage =
  /** Up and able to take a claim. `path`: connections may be made to it already; requests wait for `ready`. */
  | { readonly type: "idle"; readonly path?: string }
  /**
   * Loaded; takes requests on 127.0.0.1:port from now on, and on the socket of the Unix domain at `path` (as net.connect
   * takes it) where the host serves them itself.
   */
  | { readonly type: "ready"; readonly port: number; readonly path?: string; readonly loadMs: number }
  | HostFailure;
