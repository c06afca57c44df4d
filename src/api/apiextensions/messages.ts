/** Field tables of apiextensions.k8s.io/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package apiextensions.v1

CustomResourceDefinition
  1 metadata meta.ObjectMeta~
  2 spec CustomResourceDefinitionSpec!
  3 status CustomResourceDefinitionStatus

CustomResourceDefinitionSpec
  1 group string!
  2 names CustomResourceDefinitionNames!
  3 scope string!
  4 versions []CustomResourceDefinitionVersion!
  5 conversion CustomResourceConversion
  6 preserveUnknownFields bool

CustomResourceDefinitionNames
  1 plural string!
  2 singular string
  3 shortNames []string
  4 kind string!
  5 listKind string
  6 categories []string

CustomResourceDefinitionVersion
  1 name string!
  2 served bool!
  3 storage bool!
  4 deprecated bool
  5 deprecationWarning string?
  6 schema CustomResourceValidation
  7 subresources CustomResourceSubresources
  8 additionalPrinterColumns []CustomResourceColumnDefinition
  9 selectableFields []SelectableField

CustomResourceValidation
  1 openAPIV3Schema JSONSchemaProps

JSONSchemaProps open

CustomResourceSubresources
  1 status CustomResourceSubresourceStatus
  2 scale CustomResourceSubresourceScale

CustomResourceSubresourceStatus

CustomResourceSubresourceScale
  1 specReplicasPath string!
  2 statusReplicasPath string!
  3 labelSelectorPath string

CustomResourceColumnDefinition
  1 name string!
  2 type string!
  3 format string
  4 description string
  5 priority int32
  6 jsonPath string!

SelectableField
  1 jsonPath string!

CustomResourceConversion
  1 strategy string!
  2 webhook WebhookConversion

WebhookConversion open

CustomResourceDefinitionStatus
  1 conditions []CustomResourceDefinitionCondition map=type
  2 acceptedNames CustomResourceDefinitionNames
  3 storedVersions []string
  4 observedGeneration int64

CustomResourceDefinitionCondition
  1 type string!
  2 status string!
  3 lastTransitionTime Time
  4 reason string
  5 message string
  6 observedGeneration int64
`;
