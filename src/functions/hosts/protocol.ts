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

/**
 * How a claim travels to a host that waits in a pod: over TLS 1.3 with certificates on both ends, one line of JSON,
 * then the bytes of the layers one after another, nothing between them. The host answers in lines of JSON; the first,
 * `waiting`, comes unasked.
 */
export const pushVersion = 1;

/** The common name in a claimer's certificate. */
export const claimerName = "ebb-claimer";

/** Where a waiting host listens for its claim, if not told otherwise. */
export const claimPort = 9440;

/** Audience of the token by which a waiting host shows a claimer which pod it is. */
export const hostAudience = "ebb-waiting-host";

/** Where the kubelet keeps that token, in the pod. */
export const hostTokenFile = "/var/run/secrets/ebb-host/token";

/** Claimer → waiting host. */
export interface PushedClaim {
  readonly type: "claim";
  readonly version: typeof pushVersion;
  readonly host: HostName;
  /** The runtime's major version (`26`, `3.13`) that machine code of the function was built for; any when absent. */
  readonly runtime?: string;
  /** `env` goes over what the container has; paths are those of the function's image. */
  readonly claim: Omit<ClaimMessage, "type" | "user" | "compileCache">;
  /** The function's own layers, lowest first: tar, plain or compressed. */
  readonly layers: readonly PushedLayer[];
}

export interface PushedLayer {
  /** `sha256:…` of the bytes that follow. */
  readonly digest: string;
  readonly size: number;
}

/** Why a waiting host does not take a claim. It waits on, for another one. */
export type PushRefusal =
  /** Somebody else's claim came first. */
  | "Taken"
  | "Malformed"
  /** Another version of this protocol, another kind of host, another version of the runtime. */
  | "WrongVersion"
  | "WrongHost"
  | "WrongRuntime"
  | "TooLarge"
  /** A layer is not what its digest says, or cannot be unpacked. */
  | "Damaged"
  | "TooSlow";

/** Waiting host → claimer. */
export type PushAnswer =
  | {
      readonly type: "waiting";
      readonly version: number;
      readonly host: HostName;
      readonly runtime: string;
      /** Of the pod, for {@link hostAudience}; said to claimers alone. */
      readonly token: string;
    }
  | { readonly type: "refused"; readonly reason: PushRefusal; readonly message: string }
  /** The whole claim is here: the host is this function's for good, whether that loads or not. */
  | { readonly type: "taken" }
  | Extract<HostMessage, { readonly type: "ready" }>
  | HostFailure;
