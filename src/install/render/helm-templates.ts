/** What the Helm chart has beside ebb's objects: values, and templates that choose and check. */
import { defaultNatsImage, defaultNatsStorage } from "../bundle-options.ts";
import { natsName, systemNamespace } from "../names.ts";

export const helmValues = `
# ebb's own image, by digest where possible. \`ebb install --registry <registry> --manifest\` names one it has pushed.
image: ""
replicas:
  controller: 2
  router: 2
  # of what delivers events, where somebody does; 0 is events: none
  events: 2
# Brokers, Triggers, Channels and sources, which bring a NATS server that keeps events on volumes:
#   auto  where the cluster has a default StorageClass, nats.storageClass names one or nats.ephemeral is true
#         (templates made without a cluster have them)
#   own   always; where there is nothing to make volumes of, the chart fails before anything is applied
#   none  the kinds only
events: auto
nats:
  image: ${defaultNatsImage}
  # volume of the server, and its class (empty: the cluster's default)
  storage: ${defaultNatsStorage}
  storageClass: ""
  # no volume: events are lost with the server's pod
  ephemeral: false
service:
  # LoadBalancer, NodePort or ClusterIP
  type: LoadBalancer
`;

/**
 * `ebb.events`: own, unfit (asked for, and there is nothing to keep them on), or none. Templates ask for it many times,
 * the cluster is asked once. `lookup` finds nothing when there is no cluster to ask, and kube-system in every other.
 */
export const helmEventsTemplate = `{{- define "ebb.volumes" -}}
{{- $isThere := false -}}
{{- if or .Values.nats.ephemeral (not (lookup "v1" "Namespace" "" "kube-system")) -}}
{{- $isThere = true -}}
{{- else if .Values.nats.storageClass -}}
{{- $isThere = not (empty (lookup "storage.k8s.io/v1" "StorageClass" "" .Values.nats.storageClass)) -}}
{{- else if lookup "apps/v1" "StatefulSet" "${systemNamespace}" "${natsName}" -}}
{{- $isThere = true -}}
{{- else -}}
{{- range (lookup "storage.k8s.io/v1" "StorageClass" "" "").items -}}
{{- if eq (toString (get (.metadata.annotations | default dict) "storageclass.kubernetes.io/is-default-class")) "true" -}}
{{- $isThere = true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- ternary "yes" "no" $isThere -}}
{{- end -}}

{{- define "ebb.events" -}}
{{- if not (hasKey .Values "eventsChosen") -}}
{{- $chosen := "none" -}}
{{- if and (ne (toString .Values.events) "none") (ne (toString .Values.replicas.events) "0") -}}
{{- if eq (include "ebb.volumes" .) "yes" -}}
{{- $chosen = "own" -}}
{{- else if or (eq .Values.events "own") .Values.nats.storageClass -}}
{{- $chosen = "unfit" -}}
{{- else -}}
{{- $chosen = "left out" -}}
{{- end -}}
{{- end -}}
{{- $_ := set .Values "eventsChosen" $chosen -}}
{{- end -}}
{{- .Values.eventsChosen -}}
{{- end -}}
`;

const ways = `--set nats.storageClass=NAME names one, --set nats.ephemeral=true does without volumes (events are lost with the server's pod), --set events=none leaves events out`;

export const helmChecks = `{{- if ne .Release.Namespace "${systemNamespace}" }}
{{- fail "ebb runs in namespace ${systemNamespace}: helm install ebb … --namespace ${systemNamespace} --create-namespace" }}
{{- end }}
{{- if not (has .Values.events (list "auto" "own" "none")) }}
{{- fail (printf "events: %v is neither auto, own nor none" .Values.events) }}
{{- end }}
{{- if eq (include "ebb.events" .) "unfit" }}
{{- with .Values.nats.storageClass }}
{{- fail (printf "nats.storageClass: the cluster has no StorageClass %q (kubectl get storageclass)" .) }}
{{- end }}
{{- fail "events: own needs volumes for NATS, and the cluster has no default StorageClass: ${ways}" }}
{{- end }}
`;

export const helmNotes = `ebb {{ .Chart.AppVersion }} is on its way: kubectl get pods -n ${systemNamespace}
{{- if eq (include "ebb.events" .) "left out" }}

Events (Brokers, Triggers, sources) are left out: the cluster has no default StorageClass for NATS.
${ways.replaceAll(", --set", ",\n--set")}
{{- end }}

Services need a domain, a key of the ConfigMap config-domain in knative-serving:
  kubectl patch configmap -n knative-serving config-domain --type=merge -p '{"data":{"apps.example.com":""}}'
`;
