/** CustomResourceDefinitions of kinds that ebb serves itself, so that Knative's tools find sources and channels. */
import { CustomResourceDefinitionKind } from "../api/apiextensions/kinds.ts";
import type { CustomResourceDefinition } from "../api/apiextensions/types.gen.ts";
import { isAlreadyExists } from "../api/meta/errors.ts";
import type { Client } from "../client/client.ts";
import { customKinds } from "../install/crds/custom-kinds.ts";
import { makeCrd } from "../install/crds/make-crd.ts";

const wanted = ["duck.knative.dev/source", "messaging.knative.dev/subscribable"];

/** Made where missing. What objects look like is said by the API's own documents, not by these. */
export async function installKnativeDefinitions(client: Client): Promise<void> {
  for (const crd of customKinds().map(makeCrd)) {
    if (!wanted.some((label) => crd.metadata.labels?.[label] === "true")) continue;
    try {
      await client.create(CustomResourceDefinitionKind, withoutSchemas(crd));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

const anything = {
  openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
} as unknown as NonNullable<CustomResourceDefinition["spec"]["versions"][number]["schema"]>;

function withoutSchemas(crd: CustomResourceDefinition): CustomResourceDefinition {
  const versions = crd.spec.versions.map((version) => ({ ...version, schema: anything }));
  return { ...crd, spec: { ...crd.spec, versions } };
}
