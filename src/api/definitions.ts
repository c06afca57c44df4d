/** Every built-in kind the standalone API serves, in the order of discovery (kubectl resolves short names by it). */
import {
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
} from "./admissionregistration/webhook-configurations.ts";
import { customResourceDefinitionDefinition } from "./apiextensions/custom-resource-definition.ts";
import { deploymentDefinition } from "./apps/deployment.ts";
import { replicaSetDefinition } from "./apps/replica-set.ts";
import { horizontalPodAutoscalerV1Definition } from "./autoscaling/horizontal-pod-autoscaler-v1.ts";
import { horizontalPodAutoscalerDefinition } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { cronJobV1beta1Definition } from "./batch/cron-job-v1beta1.ts";
import { cronJobDefinition } from "./batch/cron-job.ts";
import { jobDefinition } from "./batch/job.ts";
import { leaseDefinition } from "./coordination/lease.ts";
import { configMapDefinition } from "./core/config-map.ts";
import { endpointsDefinition } from "./core/endpoints.ts";
import { eventDefinition } from "./core/event.ts";
import { limitRangeDefinition } from "./core/limit-range.ts";
import { namespaceDefinition } from "./core/namespace.ts";
import { nodeDefinition } from "./core/node.ts";
import { podDefinition } from "./core/pod.ts";
import { resourceQuotaDefinition } from "./core/resource-quota.ts";
import { secretDefinition } from "./core/secret.ts";
import { serviceAccountDefinition } from "./core/service-account.ts";
import { serviceDefinition } from "./core/service.ts";
import { endpointSliceDefinition } from "./discovery/endpoint-slice.ts";
import { eventingDefinitions } from "./eventing/definitions.ts";
import { eventsEventDefinition } from "./events/event.ts";
import type { KindDefinition } from "./meta/definition.ts";
import { ingressClassDefinition } from "./networking/ingress-class.ts";
import { ingressDefinition } from "./networking/ingress.ts";
import { networkPolicyDefinition } from "./networking/network-policy.ts";
import { podDisruptionBudgetV1beta1Definition } from "./policy/pod-disruption-budget-v1beta1.ts";
import { podDisruptionBudgetDefinition } from "./policy/pod-disruption-budget.ts";
import { clusterRoleBindingDefinition, roleBindingDefinition } from "./rbac/role-binding.ts";
import { clusterRoleDefinition, roleDefinition } from "./rbac/role.ts";
import { priorityClassDefinition } from "./scheduling/priority-class.ts";
import { servingDefinitions } from "./serving/definitions.ts";

/**
 * Kinds of Kubernetes itself and of Knative. A group's first version is its preferred one; a definition with a `conversion`
 * shares the objects of the kind it names.
 */
export const builtinDefinitions: readonly KindDefinition[] = [
  configMapDefinition,
  endpointsDefinition,
  eventDefinition,
  limitRangeDefinition,
  namespaceDefinition,
  nodeDefinition,
  podDefinition,
  resourceQuotaDefinition,
  secretDefinition,
  serviceAccountDefinition,
  serviceDefinition,
  eventsEventDefinition,
  deploymentDefinition,
  replicaSetDefinition,
  horizontalPodAutoscalerDefinition,
  horizontalPodAutoscalerV1Definition,
  cronJobDefinition,
  jobDefinition,
  cronJobV1beta1Definition,
  ingressClassDefinition,
  ingressDefinition,
  networkPolicyDefinition,
  podDisruptionBudgetDefinition,
  podDisruptionBudgetV1beta1Definition,
  clusterRoleBindingDefinition,
  clusterRoleDefinition,
  roleBindingDefinition,
  roleDefinition,
  customResourceDefinitionDefinition,
  priorityClassDefinition,
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
  leaseDefinition,
  endpointSliceDefinition,
  ...servingDefinitions,
  ...eventingDefinitions,
];
