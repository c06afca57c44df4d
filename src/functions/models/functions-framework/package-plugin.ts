import type { Plugin } from "esbuild";
import { packageName, packageSource } from "./package-source.ts";

/**
 * Puts our registrations in the place of the framework's package when a function is bundled: it need not be installed, and
 * its server, Express and all, does not travel along.
 */
export const functionsFrameworkPlugin: Plugin = {
  name: "functions-framework",
  setup(build) {
    const filter = new RegExp(`^${packageName}$`);
    build.onResolve({ filter }, () => ({ path: packageName, namespace: "ebb", sideEffects: true }));
    build.onLoad({ filter, namespace: "ebb" }, () => ({ contents: packageSource, loader: "js" }));
  },
};
