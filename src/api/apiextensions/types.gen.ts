// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface CustomResourceDefinition extends TypeMeta {
  /** The name is names.plural, a dot, and the group. */
  readonly metadata: ObjectMeta;
  /** The kind: its names, versions and schemas. */
  readonly spec: CustomResourceDefinitionSpec;
  /** Whether it is served. */
  readonly status?: CustomResourceDefinitionStatus;
}

export interface CustomResourceDefinitionSpec {
  /** Group of the kind, a domain name. */
  readonly group: string;
  /** What the kind is called. */
  readonly names: CustomResourceDefinitionNames;
  /** Whether its objects live in namespaces. */
  readonly scope: string;
  /** The versions, each with its schema. One is the stored one. */
  readonly versions: readonly CustomResourceDefinitionVersion[];
  /** How objects turn from one version into another. */
  readonly conversion?: CustomResourceConversion;
  /** Must be false. */
  readonly preserveUnknownFields?: boolean;
}

export interface CustomResourceDefinitionNames {
  /** Plural, lower case, as in paths. */
  readonly plural: string;
  /** Singular, lower case, for the command line. */
  readonly singular?: string;
  /** Short names for the command line. */
  readonly shortNames?: readonly string[];
  /** The kind, in CamelCase. */
  readonly kind: string;
  /** Kind of the list; the kind and List if not given. */
  readonly listKind?: string;
  /** Groups of resources it belongs to, such as all. */
  readonly categories?: readonly string[];
}

export interface CustomResourceDefinitionVersion {
  /** Name of the version, such as v1. */
  readonly name: string;
  /** Whether it is served. */
  readonly served: boolean;
  /** Whether objects are stored in it; exactly one is. */
  readonly storage: boolean;
  /** Whether its use is warned about. */
  readonly deprecated?: boolean;
  /** What the warning says. */
  readonly deprecationWarning?: string;
  /** What objects look like. Required. */
  readonly schema?: CustomResourceValidation;
  /** Whether it has status and scale. */
  readonly subresources?: CustomResourceSubresources;
  /** Columns of kubectl get. */
  readonly additionalPrinterColumns?: readonly CustomResourceColumnDefinition[];
  /** Fields that field selectors can use. */
  readonly selectableFields?: readonly SelectableField[];
}

export interface CustomResourceValidation {
  readonly openAPIV3Schema?: JSONSchemaProps;
}

export type JSONSchemaProps = Readonly<Record<string, unknown>>;

export interface CustomResourceSubresources {
  readonly status?: CustomResourceSubresourceStatus;
  readonly scale?: CustomResourceSubresourceScale;
}

export type CustomResourceSubresourceStatus = Readonly<Record<string, never>>;

export interface CustomResourceSubresourceScale {
  /** Path of the replicas wanted, under .spec. */
  readonly specReplicasPath: string;
  /** Path of the replicas there are, under .status. */
  readonly statusReplicasPath: string;
  /** Path of the pods' selector as text. */
  readonly labelSelectorPath?: string;
}

export interface CustomResourceColumnDefinition {
  /** Heading. */
  readonly name: string;
  /** string, integer, number, boolean or date. */
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 0 to show always, more for -o wide only. */
  readonly priority?: number;
  /** Path of the value, such as .spec.replicas. */
  readonly jsonPath: string;
}

export interface SelectableField {
  readonly jsonPath: string;
}

export interface CustomResourceConversion {
  readonly strategy: string;
  readonly webhook?: WebhookConversion;
}

export type WebhookConversion = Readonly<Record<string, unknown>>;

export interface CustomResourceDefinitionStatus {
  /** NamesAccepted, Established and others. */
  readonly conditions?: readonly CustomResourceDefinitionCondition[];
  /** The names that are in use. */
  readonly acceptedNames?: CustomResourceDefinitionNames;
  /** Versions objects may be stored in. */
  readonly storedVersions?: readonly string[];
  /** The generation this status tells about. */
  readonly observedGeneration?: number;
}

export interface CustomResourceDefinitionCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}
