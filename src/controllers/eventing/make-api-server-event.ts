/** Events of ApiServerSources (eventing pkg/adapter/apiserver/events). Pure. */
import type { CloudEvent } from "../../api/cloudevents/cloud-event.ts";
import { apiVersionOf, type Kind } from "../../api/meta/kind.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { ApiServerSource } from "../../api/sources/types.gen.ts";
import type { Change } from "../../client/informer.ts";
import { overridden } from "./deliver-source-event.ts";

const verbs = { added: "add", modified: "update", deleted: "delete" } as const;

const prefixOf = ({ spec }: ApiServerSource): string =>
  `dev.knative.apiserver.${spec.mode === "Resource" ? "resource" : "ref"}`;

export const apiServerEventTypes = (source: ApiServerSource): readonly string[] =>
  Object.values(verbs).map((verb) => `${prefixOf(source)}.${verb}`);

/** undefined when nothing a reader could see has changed. */
export function makeApiServerEvent(
  source: ApiServerSource,
  kind: Kind,
  { type, object, old }: Change<KubeObject>,
): CloudEvent | undefined {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  if (type === "modified" && old?.metadata.resourceVersion === resourceVersion) return undefined;
  const apiVersion = apiVersionOf(kind);
  const home = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const reference = {
    kind: kind.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    apiVersion,
    resourceVersion,
  };
  const data = source.spec.mode === "Resource" ? { ...object, apiVersion, kind: kind.kind } : reference;
  return overridden(
    {
      specversion: "1.0",
      id: `${uid}-${resourceVersion}-${verbs[type]}`,
      source: "https://kubernetes.default.svc",
      type: `${prefixOf(source)}.${verbs[type]}`,
      subject: `/apis/${apiVersion}${home}/${kind.plural}/${name}`,
      datacontenttype: "application/json",
      kind: kind.kind,
      name,
      apiversion: apiVersion,
      ...(namespace === undefined ? {} : { namespace }),
      data,
    },
    source.spec.ceOverrides,
  );
}
