{{- define "ebb.volumes" -}}
{{- $isThere := false -}}
{{- if or .Values.nats.ephemeral (not (lookup "v1" "Namespace" "" "kube-system")) -}}
{{- $isThere = true -}}
{{- else if .Values.nats.storageClass -}}
{{- $isThere = not (empty (lookup "storage.k8s.io/v1" "StorageClass" "" .Values.nats.storageClass)) -}}
{{- else if lookup "apps/v1" "StatefulSet" "ebb-system" "ebb-nats" -}}
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
