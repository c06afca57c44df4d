/** Writes the authority of the serving certificate to those who call: webhook configurations, definitions of converted kinds and APIServices. */
import {
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
} from "../../api/admissionregistration/kinds.ts";
import { CustomResourceDefinitionKind } from "../../api/apiextensions/kinds.ts";
import type { CustomResourceDefinition } from "../../api/apiextensions/types.gen.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import { kind, type Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { JsonPatchOperation } from "../../api/meta/requests.ts";
import type { Client } from "../../client/client.ts";

interface WithWebhooks extends KubeObject {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[];
}

interface ClientConfig {
  readonly caBundle?: string;
  readonly service?: { readonly namespace?: string; readonly name?: string };
}

interface WithService extends KubeObject {
  readonly spec: ClientConfig;
}

const ApiServiceKind = kind<WithService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  namespaced: false,
});

/** Objects that carry the bundle, by name; those that are not there are left out. */
export interface Callers {
  /** Of MutatingWebhookConfigurations and ValidatingWebhookConfigurations. */
  readonly webhooks: readonly string[];
  readonly apiServices: readonly string[];
  /** Of CustomResourceDefinitions whose versions the Service converts. */
  readonly definitions: readonly string[];
  /** The Service that APIServices and definitions of ours lead to; others of those names, such as KEDA's, are left alone. */
  readonly service: { readonly namespace: string; readonly name: string };
}

/** Makes every caller trust `bundle`, and nothing else. Returns the names of those that were changed. */
export async function writeCaBundles(client: Client, callers: Callers, bundle: string): Promise<readonly string[]> {
  const wanted = Buffer.from(bundle).toString("base64");
  const changed: string[] = [];
  const write = async <T extends KubeObject>(
    of: Kind<T>,
    name: string,
    patchOf: (object: T) => readonly JsonPatchOperation[],
  ): Promise<void> => {
    const object = await unlessMissing(client.get(of, { name }));
    const body = object ? patchOf(object) : [];
    if (body.length === 0) return;
    await client.patch(of, { name }, { type: "json", body });
    changed.push(name);
  };
  const ofWebhooks = ({ webhooks = [] }: WithWebhooks): readonly JsonPatchOperation[] =>
    webhooks.flatMap(({ name, clientConfig }, index) =>
      clientConfig.caBundle === wanted
        ? []
        : [
            // Somebody who changes the list meanwhile makes the patch fail, and it is tried again.
            { op: "test", path: `/webhooks/${index}/name`, value: name },
            { op: "add", path: `/webhooks/${index}/clientConfig/caBundle`, value: wanted },
          ],
    );
  const ofDefinition = ({ spec }: CustomResourceDefinition): readonly JsonPatchOperation[] => {
    const { service, caBundle } = (spec.conversion?.webhook?.["clientConfig"] ?? {}) as ClientConfig;
    return service?.namespace !== callers.service.namespace ||
      service.name !== callers.service.name ||
      caBundle === wanted
      ? []
      : [{ op: "add", path: "/spec/conversion/webhook/clientConfig/caBundle", value: wanted }];
  };
  for (const name of callers.webhooks) {
    await write(MutatingWebhookConfigurationKind as unknown as Kind<WithWebhooks>, name, ofWebhooks);
    await write(ValidatingWebhookConfigurationKind as unknown as Kind<WithWebhooks>, name, ofWebhooks);
  }
  for (const name of callers.apiServices)
    await write(ApiServiceKind, name, ({ spec }) =>
      spec.service?.namespace !== callers.service.namespace ||
      spec.service.name !== callers.service.name ||
      spec.caBundle === wanted
        ? []
        : [{ op: "add", path: "/spec/caBundle", value: wanted }],
    );
  for (const name of callers.definitions) await write(CustomResourceDefinitionKind, name, ofDefinition);
  return changed;
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
