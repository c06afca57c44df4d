import { createHash } from "node:crypto";
import { makeBundle, objectsOf } from "./make-bundle.ts";

/** Changes with what an older ebb would take away or not understand: the names of objects, and the schemas of kinds. */
export function digestOfBundle(): string {
  const bundle = makeBundle({
    version: "",
    image: "",
    replicas: { controller: 1, router: 1 },
    serviceType: "ClusterIP",
  });
  const names = objectsOf(bundle).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  const text = JSON.stringify([names.toSorted(), bundle.crds]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
