/** Labels on a function's image: how ebb's node agent finds out that a warm host can run it, and what to load. */
export const functionLabels = {
  /** Which host program loads it: `node`. Absent for plain programs. */
  host: "dev.ebb.host",
  /** Absolute path inside the image of the module the host loads. */
  entry: "dev.ebb.entry",
  /** The programming model found at build time, for people to see; the host looks at the exports itself. */
  model: "dev.ebb.model",
} as const;
