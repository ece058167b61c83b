{{/* The configuration that the gateway reads, and what the chart reads from it. */}}

{{- define "latchkey.secretsFolder" -}}/run/secrets/latchkey{{- end -}}
{{- define "latchkey.tlsFolder" -}}/run/secrets/latchkey-tls{{- end -}}
{{- define "latchkey.dataFolder" -}}/var/lib/latchkey{{- end -}}

{{/* The whole of it, as YAML: values.config over what a pod needs. */}}
{{- define "latchkey.config" -}}
{{- include "latchkey.checkSecrets" . -}}
{{- $secrets := include "latchkey.secretsFolder" . -}}
{{- $keys := .Values.secretKeys -}}
{{- $config := dict
  "listen" (ternary dict (dict "port" 8080) (not (empty (dig "listen" "socket" "" .Values.config))))
  "admin" (dict "host" "::" "port" 8081)
  "dataDir" (include "latchkey.dataFolder" .) -}}
{{- $config = mergeOverwrite $config (deepCopy .Values.config) -}}
{{- if and $config.doors (or $config.doors.port $config.doors.grpcPort) (eq .Values.mode "gateway") -}}
{{- $_ := set $config "doors" (mergeOverwrite (dict "host" "::") $config.doors) -}}
{{- end -}}
{{- if $keys.pepper -}}
{{- $secret := dict "fromFile" (printf "%s/%s" $secrets $keys.pepper) -}}
{{- $_ := set $config "peppers" (list (dict "id" $keys.pepperId "secret" $secret)) -}}
{{- end -}}
{{- if $keys.assertionKey -}}
{{- $_ := set $config "assertionKey" (dict "fromFile" (printf "%s/%s" $secrets $keys.assertionKey)) -}}
{{- end -}}
{{- if $keys.storePassword -}}
{{- $store := $config.store -}}
{{- if kindIs "string" $store -}}{{- $store = dict "url" $store -}}{{- end -}}
{{- $_ := set $store "password" (dict "fromFile" (printf "%s/%s" $secrets $keys.storePassword)) -}}
{{- $_ := set $config "store" $store -}}
{{- end -}}
{{- if $keys.redisPassword -}}
{{- $_ := set $config.redis "password" (dict "fromFile" (printf "%s/%s" $secrets $keys.redisPassword)) -}}
{{- end -}}
{{- if $keys.redisSentinelPassword -}}
{{- $_ := set $config.redis "sentinelPassword" (dict "fromFile" (printf "%s/%s" $secrets $keys.redisSentinelPassword)) -}}
{{- end -}}
{{- if .Values.tls.existingSecret -}}
{{- $tls := include "latchkey.tlsFolder" . -}}
{{- $pair := dict "cert" (dict "fromFile" (printf "%s/tls.crt" $tls)) "key" (dict "fromFile" (printf "%s/tls.key" $tls)) -}}
{{- $_ := set $config.listen "tls" (mergeOverwrite (deepCopy (default dict $config.listen.tls)) $pair) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* postgres or sqlite. */}}
{{- define "latchkey.storeKind" -}}
{{- $store := default "" .Values.config.store -}}
{{- $url := ternary $store (dig "url" "" (ternary dict $store (kindIs "string" $store))) (kindIs "string" $store) -}}
{{- if regexMatch "^postgres(ql)?:" (toString $url) -}}postgres{{- else -}}sqlite{{- end -}}
{{- end -}}

{{/* The store's address as written, whatever form it has. */}}
{{- define "latchkey.storeUrl" -}}
{{- $store := default "" .Values.config.store -}}
{{- if kindIs "string" $store -}}{{- $store -}}{{- else -}}{{- default "" $store.url -}}{{- end -}}
{{- end -}}

{{- define "latchkey.port" -}}{{- (include "latchkey.config" . | fromYaml).listen.port | int -}}{{- end -}}
{{- define "latchkey.adminPort" -}}{{- (include "latchkey.config" . | fromYaml).admin.port | int -}}{{- end -}}
{{- define "latchkey.doorsPort" -}}{{- dig "doors" "port" 0 .Values.config | default 0 | int -}}{{- end -}}
{{- define "latchkey.doorsGrpcPort" -}}{{- dig "doors" "grpcPort" 0 .Values.config | default 0 | int -}}{{- end -}}

{{/* true where clients speak TLS to the gateway itself. */}}
{{- define "latchkey.hasTls" -}}
{{- if or .Values.tls.existingSecret (dig "listen" "tls" nil .Values.config) -}}true{{- end -}}
{{- end -}}

{{/* More than one pod, or possibly more. */}}
{{- define "latchkey.isMany" -}}
{{- if and (eq .Values.mode "gateway") (ternary (gt (int .Values.autoscaling.maxReplicas) 1) (gt (int .Values.replicaCount) 1) .Values.autoscaling.enabled) -}}true{{- end -}}
{{- end -}}

{{/* Whole seconds, rounded up, of a duration as latchkey.yaml has it: 30s, 5m, 250ms, or milliseconds. */}}
{{- define "latchkey.seconds" -}}
{{- $text := toString . -}}
{{- $amount := regexFind "^[0-9.]+" $text | float64 -}}
{{- $unit := regexFind "[a-z]+$" $text | default "ms" -}}
{{- $factor := get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0) $unit | default 1.0 -}}
{{- ceil (mulf $amount $factor) | int -}}
{{- end -}}

{{- define "latchkey.drainSeconds" -}}
{{- include "latchkey.seconds" (dig "limits" "drain" "30s" .Values.config) -}}
{{- end -}}

{{/* How long a pod may take to end: preStop, drain, and 10 s to write everything and close. */}}
{{- define "latchkey.graceSeconds" -}}
{{- $least := add (int .Values.preStopSeconds) (int (include "latchkey.drainSeconds" .)) -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- add $least 10 -}}
{{- else -}}
{{- int .Values.terminationGracePeriodSeconds -}}
{{- end -}}
{{- end -}}
