{{/*
For charts that have this one as a dependency with `mode: sidecar`. Each takes the scope of the dependency:
{{ include "latchkey.sidecar" .Subcharts.latchkey }}.
*/}}

{{/* One entry of `initContainers` (sidecar.native: true), or of `containers`. */}}
{{- define "latchkey.sidecar" -}}
{{- if ne .Values.mode "sidecar" -}}
{{- fail "latchkey: latchkey.sidecar is included, and mode is gateway, which would make pods of its own too: set latchkey.mode to sidecar." -}}
{{- end -}}
- {{ include "latchkey.container" . | nindent 2 | trim }}
{{- if .Values.sidecar.native }}
  restartPolicy: Always
{{- end }}
{{- end -}}

{{/* Entries of `volumes`. */}}
{{- define "latchkey.sidecar.volumes" -}}
{{- include "latchkey.volumes" . -}}
{{- end -}}

{{/* For `annotations` of the pod, so that it starts anew with another configuration. */}}
{{- define "latchkey.sidecar.annotations" -}}
checksum/latchkey-config: {{ include "latchkey.checksum" . }}
{{- end -}}
