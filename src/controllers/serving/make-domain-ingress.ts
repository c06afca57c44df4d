/** The KIngress of a DomainMapping (pkg/reconciler/domainmapping/resources/ingress.go). */
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import type { HTTP01Challenge, Ingress, IngressTLS } from "../../api/networking-internal/types.gen.ts";
import { servingKeys as keys } from "../../api/serving/keys.ts";
import { DomainMappingKind } from "../../api/serving/kinds.ts";
import type { DomainMapping } from "../../api/serving/types.gen.ts";
import { challengePaths } from "../certificates/challenge-paths.ts";
import type { ResolvedTarget } from "./domain-target.ts";
import { without } from "./write.ts";

export interface DomainIngressParts {
  readonly mapping: DomainMapping;
  readonly target: ResolvedTarget;
  readonly ingressClass: string;
  readonly httpOption: "Enabled" | "Redirected";
  readonly tls: readonly IngressTLS[];
  /** What has to be answered at the domain while its certificate is made. */
  readonly challenges: readonly HTTP01Challenge[];
}

/** Requests go on as if they had been sent to the target's local host; the app finds the mapped one in a header. */
export function makeDomainIngress(parts: DomainIngressParts): Draft<Ingress> {
  const { mapping, target, ingressClass, httpOption, tls, challenges } = parts;
  const { name, namespace = "", uid = "", annotations, labels } = mapping.metadata;
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
      ...(tls.length > 0 ? { tls } : {}),
      httpOption,
      rules: [
        {
          hosts: [name],
          visibility: "ExternalIP",
          http: {
            paths: [
              ...challengePaths(challenges, name),
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
