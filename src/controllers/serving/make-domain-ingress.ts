/** The KIngress of a DomainMapping (pkg/reconciler/domainmapping/resources/ingress.go). */
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type { Ingress } from "../../api/networking-internal/types.gen.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { DomainMappingKind } from "../../api/serving/kinds.ts";
import type { DomainMapping } from "../../api/serving/types.gen.ts";
import type { ResolvedTarget } from "./domain-target.ts";
import { without } from "./write.ts";

export interface DomainIngressParts {
  readonly mapping: DomainMapping;
  readonly target: ResolvedTarget;
  readonly ingressClass: string;
  readonly httpOption: "Enabled" | "Redirected";
}

/** Requests go on as if they had been sent to the target's local host; the app finds the mapped one in a header. */
export function makeDomainIngress({ mapping, target, ingressClass, httpOption }: DomainIngressParts): Draft<Ingress> {
  const { name, namespace = "", uid = "", annotations, labels } = mapping.metadata;
  const secretName = mapping.spec.tls?.secretName;
  return {
    metadata: {
      name,
      namespace,
      labels: { ...labels, [keys.domainMappingUid]: uid, [keys.domainMappingNamespace]: namespace },
      annotations: {
        [keys.ingressClass]: ingressClass,
        ...without(annotations, (key) => key === keys.lastApplied),
      },
      ownerReferences: [controllerReference(DomainMappingKind, mapping)],
    },
    spec: {
      ...(secretName ? { tls: [{ hosts: [name], secretName, secretNamespace: namespace }] } : {}),
      httpOption,
      rules: [
        {
          hosts: [name],
          visibility: "ExternalIP",
          http: {
            paths: [
              {
                rewriteHost: target.host,
                splits: [
                  {
                    serviceName: target.service,
                    serviceNamespace: namespace,
                    servicePort: 80,
                    percent: 100,
                    appendHeaders: { "K-Original-Host": name },
                  },
                ],
              },
            ],
          },
        },
      ],
    },
  };
}
