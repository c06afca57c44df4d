/** Field tables of apiextensions.k8s.io/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package apiextensions.v1

CustomResourceDefinition -- Adds a kind of your own to the API.
  1 metadata meta.ObjectMeta~ -- The name is names.plural, a dot, and the group.
  2 spec CustomResourceDefinitionSpec! -- The kind: its names, versions and schemas.
  3 status CustomResourceDefinitionStatus -- Whether it is served.

CustomResourceDefinitionSpec
  1 group string! -- Group of the kind, a domain name.
  2 names CustomResourceDefinitionNames! -- What the kind is called.
  3 scope string! enum=Cluster|Namespaced -- Whether its objects live in namespaces.
  4 versions []CustomResourceDefinitionVersion! -- The versions, each with its schema. One is the stored one.
  5 conversion CustomResourceConversion -- How objects turn from one version into another.
  6 preserveUnknownFields bool -- Must be false.

CustomResourceDefinitionNames
  1 plural string! -- Plural, lower case, as in paths.
  2 singular string -- Singular, lower case, for the command line.
  3 shortNames []string -- Short names for the command line.
  4 kind string! -- The kind, in CamelCase.
  5 listKind string -- Kind of the list; the kind and List if not given.
  6 categories []string -- Groups of resources it belongs to, such as all.

CustomResourceDefinitionVersion
  1 name string! -- Name of the version, such as v1.
  2 served bool! -- Whether it is served.
  3 storage bool! -- Whether objects are stored in it; exactly one is.
  4 deprecated bool -- Whether its use is warned about.
  5 deprecationWarning string? -- What the warning says.
  6 schema CustomResourceValidation -- What objects look like. Required.
  7 subresources CustomResourceSubresources -- Whether it has status and scale.
  8 additionalPrinterColumns []CustomResourceColumnDefinition -- Columns of kubectl get.
  9 selectableFields []SelectableField -- Fields that field selectors can use.

CustomResourceValidation
  1 openAPIV3Schema JSONSchemaProps

JSONSchemaProps open

CustomResourceSubresources
  1 status CustomResourceSubresourceStatus
  2 scale CustomResourceSubresourceScale

CustomResourceSubresourceStatus

CustomResourceSubresourceScale
  1 specReplicasPath string! -- Path of the replicas wanted, under .spec.
  2 statusReplicasPath string! -- Path of the replicas there are, under .status.
  3 labelSelectorPath string -- Path of the pods' selector as text.

CustomResourceColumnDefinition
  1 name string! -- Heading.
  2 type string! -- string, integer, number, boolean or date.
  3 format string
  4 description string
  5 priority int32 -- 0 to show always, more for -o wide only.
  6 jsonPath string! -- Path of the value, such as .spec.replicas.

SelectableField
  1 jsonPath string!

CustomResourceConversion
  1 strategy string!
  2 webhook WebhookConversion

WebhookConversion open

CustomResourceDefinitionStatus
  1 conditions []CustomResourceDefinitionCondition map=type -- NamesAccepted, Established and others.
  2 acceptedNames CustomResourceDefinitionNames -- The names that are in use.
  3 storedVersions []string -- Versions objects may be stored in.
  4 observedGeneration int64 -- The generation this status tells about.

CustomResourceDefinitionCondition
  1 type string!
  2 status string!
  3 lastTransitionTime Time
  4 reason string
  5 message string
  6 observedGeneration int64
`;
