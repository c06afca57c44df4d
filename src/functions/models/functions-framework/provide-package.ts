import { packageName, packageSource } from "./package-source.ts";

const url = "ebb:functions-framework";

/** Lets modules that were not bundled import the framework: they get our registrations, installed or not. */
export function providePackage(): void {
  process.getBuiltinModule("node:module").registerHooks({
    resolve: (specifier, context, next) =>
      specifier === packageName ? { url, format: "module", shortCircuit: true } : next(specifier, context),
    load: (from, context, next) =>
      from === url ? { format: "module", source: packageSource, shortCircuit: true } : next(from, context),
  });
}
