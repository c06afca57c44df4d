/**
 * RBAC cannot say of which accounts tokens may be asked for: this says it of ebb-events. It sends events as accounts that
 * it made itself (their names have `-oidc-` in them), and watches objects as the accounts that ApiServerSources name,
 * which are never those of the system's namespaces.
 */
import type { KubeObject } from "../../api/meta/object.ts";
import { installLabels, nameOf, systemNamespace } from "../names.ts";

const name = "ebb-events-tokens";
const longestSeconds = 3600;
const closed = ["kube-system", "kube-public", "kube-node-lease", systemNamespace];

export function makeTokenPolicy(): readonly KubeObject[] {
  const apiVersion = "admissionregistration.k8s.io/v1";
  const metadata = { name, labels: installLabels };
  return [
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          matchPolicy: "Equivalent",
          resourceRules: [
            {
              apiGroups: [""],
              apiVersions: ["v1"],
              operations: ["CREATE"],
              resources: ["serviceaccounts/token"],
              scope: "Namespaced",
            },
          ],
        },
        matchConditions: [
          {
            name: "ebb-events",
            expression: `request.userInfo.username == "system:serviceaccount:${systemNamespace}:${nameOf("events")}"`,
          },
        ],
        validations: [
          {
            expression: `request.name.contains("-oidc-") || !(request.namespace in ${JSON.stringify(closed)})`,
            message: "ebb-events watches nothing as an account of the system",
          },
          {
            expression: `has(object.spec.expirationSeconds) && object.spec.expirationSeconds <= ${longestSeconds}`,
            message: `ebb-events asks for tokens of an hour at most`,
          },
        ],
      },
    } as unknown as KubeObject,
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: { policyName: name, validationActions: ["Deny"] },
    } as unknown as KubeObject,
  ];
}
