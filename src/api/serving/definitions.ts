/** Every kind of Knative Serving and the internal groups it is built with. */
import { podAutoscalerDefinition } from "../autoscaling-internal/definition.ts";
import type { KindDefinition } from "../meta/definition.ts";
import {
  clusterDomainClaimDefinition,
  kCertificateDefinition,
  kIngressDefinition,
} from "../networking-internal/definitions.ts";
import { domainMappingDefinition } from "./domain-mapping-definition.ts";
import { configurationDefinition, revisionDefinition, routeDefinition, serviceDefinition } from "./v1-definitions.ts";

export const servingDefinitions: readonly KindDefinition[] = [
  serviceDefinition,
  configurationDefinition,
  revisionDefinition,
  routeDefinition,
  domainMappingDefinition,
  podAutoscalerDefinition,
  kIngressDefinition,
  kCertificateDefinition,
  clusterDomainClaimDefinition,
];
