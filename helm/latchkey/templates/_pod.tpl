{{/* The pod, shared by Deployment and StatefulSet, and its container, shared with the sidecar. */}}

{{/* Environment: the chart's, and extraEnv over it, so that no name is there twice. */}}
{{- define "latchkey.env" -}}
{{- $own := list (dict "name" "LATCHKEY_CONFIG" "value" "/etc/latchkey/latchkey.yaml") -}}
{{- $last := dict -}}
{{- range $index, $variable := .Values.extraEnv -}}{{- $_ := set $last $variable.name $index -}}{{- end -}}
{{- $merged := list -}}
{{- range $own -}}{{- if not (hasKey $last .name) -}}{{- $merged = append $merged . -}}{{- end -}}{{- end -}}
{{- range $index, $variable := .Values.extraEnv -}}
{{- if eq (int (get $last $variable.name)) $index -}}{{- $merged = append $merged $variable -}}{{- end -}}
{{- end -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* One probe of the admin port: list ROOT NAME */}}
{{- define "latchkey.probe" -}}
{{- $root := index . 0 -}}
{{- $probe := get $root.Values (index . 1) -}}
{{- if and $probe $probe.enabled }}
{{ index . 1 }}:
  httpGet: { path: {{ $probe.path }}, port: latchkey-admin }
  {{- toYaml (omit $probe "enabled" "path") | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "latchkey.container" -}}
name: latchkey
image: {{ include "latchkey.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  {{- toYaml (concat (list "serve") .Values.extraArgs) | nindent 2 }}
env:
  {{- include "latchkey.env" . | nindent 2 }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- if ne (include "latchkey.port" .) "0" }}
  - { name: latchkey, containerPort: {{ include "latchkey.port" . }}, protocol: TCP }
  {{- end }}
  - { name: latchkey-admin, containerPort: {{ include "latchkey.adminPort" . }}, protocol: TCP }
  {{- if ne (include "latchkey.doorsPort" .) "0" }}
  - { name: latchkey-doors, containerPort: {{ include "latchkey.doorsPort" . }}, protocol: TCP }
  {{- end }}
  {{- if ne (include "latchkey.doorsGrpcPort" .) "0" }}
  - { name: latchkey-grpc, containerPort: {{ include "latchkey.doorsGrpcPort" . }}, protocol: TCP }
  {{- end }}
{{- include "latchkey.probe" (list . "startupProbe") }}
{{- include "latchkey.probe" (list . "livenessProbe") }}
{{- include "latchkey.probe" (list . "readinessProbe") }}
{{- if .Values.lifecycle }}
lifecycle:
  {{- toYaml .Values.lifecycle | nindent 2 }}
{{- else if and (gt (int .Values.preStopSeconds) 0) (eq .Values.mode "gateway") }}
lifecycle:
  preStop:
    sleep: { seconds: {{ int .Values.preStopSeconds }} }
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- $context := .Values.securityContext }}
  {{- if eq .Values.mode "sidecar" }}
  {{- $context = mergeOverwrite (dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault")) (pick .Values.podSecurityContext "runAsUser" "runAsGroup" "runAsNonRoot" "seccompProfile") $context }}
  {{- end }}
  {{- toYaml $context | nindent 2 }}
volumeMounts:
  - { name: latchkey-config, mountPath: /etc/latchkey, readOnly: true }
  - { name: {{ include "latchkey.dataVolumeName" . }}, mountPath: {{ include "latchkey.dataFolder" . }} }
  {{- if .Values.existingSecret }}
  - { name: latchkey-secrets, mountPath: {{ include "latchkey.secretsFolder" . }}, readOnly: true }
  {{- end }}
  {{- if .Values.tls.existingSecret }}
  - { name: latchkey-tls, mountPath: {{ include "latchkey.tlsFolder" . }}, readOnly: true }
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "latchkey.dataVolumeName" -}}
{{- if eq .Values.mode "sidecar" -}}{{- default "latchkey-data" .Values.sidecar.dataVolume -}}{{- else -}}latchkey-data{{- end -}}
{{- end -}}

{{/* Mode of mounted secrets: 0440, or 0444 where the pod is another chart's and may have no fsGroup: they belong to root. */}}
{{- define "latchkey.secretsMode" -}}{{- ternary 292 288 (eq .Values.mode "sidecar") -}}{{- end -}}

{{/* Volumes that every form of the pod has. */}}
{{- define "latchkey.volumes" -}}
- name: latchkey-config
  configMap: { name: {{ include "latchkey.configMapName" . }} }
{{- if .Values.existingSecret }}
- name: latchkey-secrets
  secret: { secretName: {{ .Values.existingSecret }}, defaultMode: {{ include "latchkey.secretsMode" . }} }
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: latchkey-tls
  secret: { secretName: {{ .Values.tls.existingSecret }}, defaultMode: {{ include "latchkey.secretsMode" . }} }
{{- end }}
{{- $isSqlite := eq (include "latchkey.storeKind" .) "sqlite" }}
{{- if and $isSqlite .Values.persistence.enabled .Values.persistence.existingClaim }}
- name: latchkey-data
  persistentVolumeClaim: { claimName: {{ .Values.persistence.existingClaim }} }
{{- else if or (not $isSqlite) (not .Values.persistence.enabled) }}
- name: latchkey-data
  emptyDir:
    {{- toYaml .Values.persistence.emptyDir | nindent 4 }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "latchkey.checksum" -}}
{{- include "latchkey.config" . | sha256sum -}}
{{- end -}}

{{- define "latchkey.podTemplate" -}}
metadata:
  labels:
    {{- toYaml (mergeOverwrite (deepCopy .Values.podLabels) (include "latchkey.labels" . | fromYaml) (dict "app.kubernetes.io/component" "gateway")) | nindent 4 }}
  annotations:
    {{- toYaml (mergeOverwrite (deepCopy .Values.podAnnotations) (dict "checksum/config" (include "latchkey.checksum" .))) | nindent 4 }}
spec:
  serviceAccountName: {{ include "latchkey.serviceAccountName" . }}
  automountServiceAccountToken: false
  # Kubernetes would make variables such as LATCHKEY_PORT for services of our name.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "latchkey.graceSeconds" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - {{- include "latchkey.container" . | nindent 6 }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "latchkey.volumes" . | nindent 4 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if include "latchkey.isMany" . }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "latchkey.selectorLabels" . | nindent 10 }}
  {{- end }}
{{- end -}}
