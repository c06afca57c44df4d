/** Events of ApiServerSources (eventing pkg/adapter/apiserver/events). Pure. */
import type { CloudEvent } from "../../../api/cloudevents/cloud-event.ts";
import { apiVersionOf, type Kind } from "../../../api/meta/kind.ts";
import type { KubeObject } from "../../../api/meta/object.ts";
import {
  apiServerEventType,
  apiServerUrl,
  apiServerVerbs,
  type ApiServerSettings,
} from "../../../api/sources/api-server-events.ts";

export interface ObjectChange {
  readonly type: keyof typeof apiServerVerbs;
  readonly object: KubeObject;
}

export function makeApiServerEvent(
  settings: Pick<ApiServerSettings, "mode">,
  kind: Kind,
  { type, object }: ObjectChange,
): CloudEvent {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const verb = apiServerVerbs[type];
  const apiVersion = apiVersionOf(kind);
  const home = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const where = namespace === undefined ? {} : { namespace };
  const reference = { kind: kind.kind, ...where, name, uid, apiVersion, resourceVersion };
  return {
    specversion: "1.0",
    id: `${uid}-${resourceVersion}-${verb}`,
    source: apiServerUrl,
    type: apiServerEventType(settings, verb),
    subject: `/apis/${apiVersion}${home}/${kind.plural}/${name}`,
    datacontenttype: "application/json",
    kind: kind.kind,
    name,
    apiversion: apiVersion,
    ...where,
    data: settings.mode === "Resource" ? { ...object, apiVersion, kind: kind.kind } : reference,
  };
}
