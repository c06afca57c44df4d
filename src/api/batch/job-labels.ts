/** Labels and annotations that tie Jobs to their pods (Kubernetes staging/src/k8s.io/api/batch/v1/types.go). */

export const controllerUidLabel = "batch.kubernetes.io/controller-uid";
export const jobNameLabel = "batch.kubernetes.io/job-name";
/** Spellings of old clients; kept beside the new ones. */
export const legacyControllerUidLabel = "controller-uid";
export const legacyJobNameLabel = "job-name";
export const completionIndexLabel = "batch.kubernetes.io/job-completion-index";
export const jobTrackingFinalizer = "batch.kubernetes.io/job-tracking";
export const scheduledTimestampAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
