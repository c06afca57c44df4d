/** Labels on a function's image: how ebb's node agent finds out that a warm host can run it, and what to load. */
export const functionLabels = {
  /** Which host program loads it: `node`, `python`. Absent for plain programs. */
  host: "dev.ebb.host",
  /** Absolute path inside the image of the module the host loads. */
  entry: "dev.ebb.entry",
  /** The programming model (FunctionModel of hosts/protocol.ts). */
  model: "dev.ebb.model",
  /** The export or registered name that takes requests, for models that need one. */
  target: "dev.ebb.target",
  /** `http`, `cloudevent`, `typed` or `event`, for models with several. */
  signature: "dev.ebb.signature",
  /** Absolute paths inside the image, separated by `:`, of installed dependencies (ClaimMessage.modulePaths). */
  modulePaths: "dev.ebb.module-paths",
  /**
   * How many of the uppermost layers are the function's own, in an image that has a base and a host beneath them: what
   * a waiting host, which has those already, must be given.
   */
  ownLayers: "dev.ebb.own-layers",
} as const;
