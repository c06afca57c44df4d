/** Field tables of meta/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package meta

Condition -- One thing that holds for an object or not.
  1 type string! -- What it is about.
  2 status string! enum=True|False|Unknown -- Whether it holds.
  3 observedGeneration int64 -- The generation it was found with.
  4 lastTransitionTime Time! -- When it changed last.
  5 reason string! -- Why it changed last, in one word.
  6 message string! -- Why it changed last, for people.

CreateOptions
  1 dryRun []string
  3 fieldManager string
  4 fieldValidation string

DeleteOptions
  1 gracePeriodSeconds int64? -- Seconds the object gets to end; its own if not given, 0 for at once.
  2 preconditions Preconditions -- What the object must be for the deletion to happen.
  3 orphanDependents bool?
  4 propagationPolicy string? -- What becomes of objects that belong to it: Background, Foreground or Orphan.
  5 dryRun []string -- "All" to do everything but store.
  6 ignoreStoreReadErrorWithClusterBreakingPotential bool?

FieldSelectorRequirement
  1 key string!
  2 operator string!
  3 values []string

LabelSelector atomic -- Selects objects by their labels; all terms must hold. Empty selects all, absent none.
  1 matchLabels map<string,string> -- Labels the objects must have.
  2 matchExpressions []LabelSelectorRequirement -- Further terms about labels.

LabelSelectorRequirement
  1 key string! -- Key of the label.
  2 operator string! -- How the label must be: In, NotIn, Exists or DoesNotExist.
  3 values []string -- The values, for In and NotIn.

ListMeta
  1 selfLink string
  2 resourceVersion string -- Version of the whole list; a watch can go on from it.
  3 continue string -- Send it to get the next page; empty on the last one.
  4 remainingItemCount int64? -- How many more there are, if that is known.
  5 shardInfo ShardInfo

ListOptions
  1 labelSelector string
  2 fieldSelector string
  3 watch bool
  4 resourceVersion string
  5 timeoutSeconds int64?
  7 limit int64
  8 continue string
  9 allowWatchBookmarks bool
  10 resourceVersionMatch string
  11 sendInitialEvents bool?
  15 shardSelector string

ManagedFieldsEntry
  1 manager string
  2 operation string
  3 apiVersion string
  4 time Time
  6 fieldsType string
  7 fieldsV1 FieldsV1
  8 subresource string

ObjectMeta -- What every object has: its name, its labels, who owns it, and what the server keeps of it.
  1 name string~ -- Name, unique among objects of its kind in a namespace. Cannot be changed.
  2 generateName string -- Start of a name the server completes with random characters, if name is not given.
  3 namespace string -- The namespace the object lives in. Cannot be changed; empty for kinds of the whole cluster.
  4 selfLink string -- No longer used.
  5 uid string -- Identity of this one object, for ever different from others of its name. Set by the server.
  6 resourceVersion string -- Version of the object as stored. Send it with an update to be refused if someone was faster. Set by the server.
  7 generation int64 -- Counts changes of what is wanted. Set by the server.
  8 creationTimestamp Time -- When the object was made. Set by the server.
  9 deletionTimestamp Time -- When the object is to be gone; set by the server when it is deleted but not gone yet.
  10 deletionGracePeriodSeconds int64? -- Seconds it was given to end. Set by the server.
  11 labels map<string,string> -- Short keys and values by which objects are found and grouped.
  12 annotations map<string,string> -- Further keys and values for tools; not for finding objects. 256 KiB together.
  13 ownerReferences []OwnerReference merge=uid map=uid -- Objects this one belongs to. When all are gone, so is this one.
  14 finalizers []string merge set -- Names of those who must clean up before the object goes. It stays until the list is empty.
  17 managedFields []ManagedFieldsEntry -- Who set which fields, for server-side apply. Kept by the server.

OwnerReference atomic
  1 kind string! -- Kind of the owner.
  3 name string! -- Name of the owner.
  4 uid string! -- Uid of the owner.
  5 apiVersion string! -- Version of the API the owner is of.
  6 controller bool? -- Whether this owner steers the object; one can.
  7 blockOwnerDeletion bool? -- Whether an owner deleted in the foreground waits for this object.

PatchOptions
  1 dryRun []string
  2 force bool?
  3 fieldManager string
  4 fieldValidation string

Preconditions
  1 uid string? -- The uid it must have.
  2 resourceVersion string? -- The version it must have.

ShardInfo
  1 selector string

Status -- The answer to a request that has no object to answer with, above all why it failed.
  1 metadata ListMeta
  2 status string -- Success or Failure.
  3 message string -- What happened, for people.
  4 reason string -- What happened, in one word.
  5 details StatusDetails -- More about it.
  6 code int32 -- The HTTP status code.

StatusCause
  1 reason string
  2 message string
  3 field string

StatusDetails
  1 name string -- Name of the object it was about.
  2 group string
  3 kind string
  4 causes []StatusCause -- What was wrong, one by one.
  5 retryAfterSeconds int32 -- Seconds to wait before another try.
  6 uid string

UpdateOptions
  1 dryRun []string
  2 fieldManager string
  3 fieldValidation string

WatchEvent
  1 type string
  2 object RawExtension
`;
