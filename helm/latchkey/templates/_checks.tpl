{{/* What cannot work is refused here, each with a sentence that says what to do. */}}

{{- define "latchkey.checks" -}}
{{- include "latchkey.checkName" . -}}
{{- include "latchkey.checkBackend" . -}}
{{- include "latchkey.checkStore" . -}}
{{- include "latchkey.checkPorts" . -}}
{{- include "latchkey.checkEnvironment" . -}}
{{- include "latchkey.checkEnding" . -}}
{{- end -}}

{{/* Services bear the name, and theirs are stricter than those of other objects. */}}
{{- define "latchkey.checkName" -}}
{{- $name := include "latchkey.fullname" . -}}
{{- if and (eq .Values.mode "gateway") (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name)) -}}
{{- fail (printf "latchkey: %s cannot be the name of a Service, which begins with a letter and has letters, digits and hyphens: set fullnameOverride." $name) -}}
{{- end -}}
{{- end -}}

{{- define "latchkey.checkBackend" -}}
{{- if not (or .Values.existingConfigMap .Values.config.backend .Values.config.routes) -}}
{{- fail "latchkey: no backend is known: set config.backend to its address, such as http://files:8008, or write config.routes." -}}
{{- end -}}
{{- if and (eq .Values.mode "gateway") .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "latchkey: httpRoute.enabled needs httpRoute.parentRefs: name the Gateway that the route belongs to." -}}
{{- end -}}
{{- end -}}

{{- define "latchkey.checkStore" -}}
{{- $kind := include "latchkey.storeKind" . -}}
{{- if and (eq $kind "sqlite") (eq .Values.mode "gateway") -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "latchkey: autoscaling makes more than one pod, and the store is SQLite, a file that belongs to one: set config.store to postgres://…, or autoscaling.enabled to false." -}}
{{- end -}}
{{- if gt (int .Values.replicaCount) 1 -}}
{{- fail (printf "latchkey: replicaCount is %d, and the store is SQLite, a file that belongs to one pod: set config.store to postgres://…, or replicaCount to 1." (int .Values.replicaCount)) -}}
{{- end -}}
{{- end -}}
{{- $url := include "latchkey.storeUrl" . -}}
{{- if and (hasPrefix "sqlite:" $url) (not (hasPrefix (printf "%s/" (include "latchkey.dataFolder" .)) (regexReplaceAll "^sqlite:(//)?" $url ""))) -}}
{{- fail (printf "latchkey: config.store is outside the volume at %s, where nothing lasts or may be written: leave it out, or name a file there." (include "latchkey.dataFolder" .)) -}}
{{- end -}}
{{- if and (eq $kind "sqlite") (eq .Values.mode "sidecar") .Values.persistence.enabled (not .Values.persistence.existingClaim) (not .Values.sidecar.dataVolume) -}}
{{- fail "latchkey: a sidecar with SQLite needs a place for its file: set sidecar.dataVolume to a volume of the pod, or persistence.existingClaim; persistence.enabled: false loses every token with the pod." -}}
{{- end -}}
{{- if or (regexMatch "^[A-Za-z]+://[^@]*:[^@]*@" $url) (regexMatch "[?&]password=" $url) -}}
{{- fail "latchkey: config.store holds a password, and would be readable in a ConfigMap: take it out of the address, put it into a Secret, and name that with existingSecret and secretKeys.storePassword." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "latchkey: autoscaling.minReplicas is more than autoscaling.maxReplicas." -}}
{{- end -}}
{{- end -}}

{{/* Comes first wherever the configuration is put together: what is wrong here cannot be put together. */}}
{{- define "latchkey.checkSecrets" -}}
{{- $keys := .Values.secretKeys -}}
{{- $config := .Values.config -}}
{{- if not .Values.existingConfigMap -}}
{{- include "latchkey.checkReadable" (dict "value" (omit $config "store") "path" "config" "key" "") -}}
{{- if kindIs "map" $config.store -}}
{{- include "latchkey.checkReadable" (dict "value" (omit $config.store "url") "path" "config.store" "key" "") -}}
{{- end -}}
{{- end -}}
{{- range $purpose, $key := omit $keys "pepperId" -}}
{{- if and $key (not $.Values.existingSecret) -}}
{{- fail (printf "latchkey: secretKeys.%s names a key of a Secret, and no Secret is named: set existingSecret." $purpose) -}}
{{- end -}}
{{- if and $key $.Values.existingConfigMap -}}
{{- fail (printf "latchkey: secretKeys.%s would be written into the configuration, and existingConfigMap is there in its place: write {fromFile: %s/%s} there." $purpose (include "latchkey.secretsFolder" $) $key) -}}
{{- end -}}
{{- end -}}
{{- if and $keys.pepper $config.peppers -}}
{{- fail "latchkey: secretKeys.pepper and config.peppers say the same: keep one." -}}
{{- end -}}
{{- if and $keys.assertionKey $config.assertionKey -}}
{{- fail "latchkey: secretKeys.assertionKey and config.assertionKey say the same: keep one." -}}
{{- end -}}
{{- if and $keys.storePassword (kindIs "map" $config.store) (get $config.store "password") -}}
{{- fail "latchkey: secretKeys.storePassword and config.store.password say the same: keep one." -}}
{{- end -}}
{{- if and .Values.tls.existingSecret (or (dig "listen" "tls" "cert" nil $config) (dig "listen" "tls" "key" nil $config)) (not .Values.existingConfigMap) -}}
{{- fail "latchkey: tls.existingSecret and config.listen.tls both name a certificate: keep one." -}}
{{- end -}}
{{- if and $keys.storePassword (eq (include "latchkey.storeKind" .) "sqlite") -}}
{{- fail "latchkey: secretKeys.storePassword is the password of PostgreSQL, and config.store is not postgres://…" -}}
{{- end -}}
{{- if and (or $keys.redisPassword $keys.redisSentinelPassword) (not (kindIs "map" $config.redis)) -}}
{{- fail "latchkey: a password of Redis needs config.redis as a map, such as {nodes: [redis:6379]}." -}}
{{- end -}}
{{- range $purpose, $field := dict "redisPassword" "password" "redisSentinelPassword" "sentinelPassword" -}}
{{- if and (get $keys $purpose) (get $config.redis $field) -}}
{{- fail (printf "latchkey: secretKeys.%s and config.redis.%s say the same: keep one." $purpose $field) -}}
{{- end -}}
{{- end -}}
{{- if and (eq (include "latchkey.storeKind" .) "postgres") (not .Values.existingConfigMap) -}}
{{- if not (or $keys.pepper $config.peppers) -}}
{{- fail "latchkey: with PostgreSQL every pod has to know the same pepper: put 32 random bytes or more into a Secret, and name it with existingSecret and secretKeys.pepper. Keep a copy: without it every token is dead." -}}
{{- end -}}
{{- range $config.routes -}}
{{- if and (dig "identity" "assertion" nil .) (not (or $keys.assertionKey $config.assertionKey)) -}}
{{- fail (printf "latchkey: route %s sends assertions, and with PostgreSQL every pod has to sign them with the same key: put an Ed25519 key into a Secret, and name it with existingSecret and secretKeys.assertionKey." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A ConfigMap is no place for a secret: dict "value" VALUE "path" PATH "key" KEY, and what is below. */}}
{{- define "latchkey.checkReadable" -}}
{{- $path := .path -}}
{{- if kindIs "map" .value -}}
{{- range $key, $value := .value -}}
{{- if not (has $key (list "headers" "table")) -}}
{{- include "latchkey.checkReadable" (dict "value" $value "path" (printf "%s.%s" $path $key) "key" $key) -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- range $index, $value := .value -}}
{{- include "latchkey.checkReadable" (dict "value" $value "path" (printf "%s[%d]" $path $index) "key" "") -}}
{{- end -}}
{{- else if kindIs "string" .value -}}
{{- if has .key (list "assertionKey" "bindPassword" "clientSecret" "key" "password" "secret" "sentinelPassword" "sharedSecret") -}}
{{- fail (printf "latchkey: %s is a secret itself, and would be readable in a ConfigMap: put it into a Secret, name that with existingSecret, and write {fromFile: %s/KEY}." $path (include "latchkey.secretsFolder" .)) -}}
{{- else if regexMatch "^[A-Za-z]+://[^/@]*:[^/@]*@" .value -}}
{{- fail (printf "latchkey: %s holds a password, and would be readable in a ConfigMap: take it out of the address, and put it into a Secret." $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "latchkey.checkPorts" -}}
{{- $config := include "latchkey.config" . | fromYaml -}}
{{- if and (eq .Values.mode "gateway") $config.listen.socket -}}
{{- fail "latchkey: config.listen.socket is a file inside the pod, which no Service reaches: set config.listen.port instead, or mode to sidecar." -}}
{{- end -}}
{{- range $listener := ternary (list "listen" "admin" "doors") (list "admin") (eq .Values.mode "gateway") -}}
{{- $host := toString (dig $listener "host" "" $config) -}}
{{- if or (hasPrefix "127." $host) (has $host (list "::1" "localhost")) -}}
{{- fail (printf "latchkey: config.%s.host is %s, which nothing outside the pod reaches, not even its probes: leave it out." $listener $host) -}}
{{- end -}}
{{- end -}}
{{- $ports := dict -}}
{{- range $key, $port := dict "listen.port" $config.listen.port "admin.port" $config.admin.port "doors.port" (dig "doors" "port" nil $config) "doors.grpcPort" (dig "doors" "grpcPort" nil $config) -}}
{{- if not (kindIs "invalid" $port) -}}
{{- if eq (int $port) 0 -}}
{{- fail (printf "latchkey: config.%s is 0, a port that nobody knows: name one." $key) -}}
{{- end -}}
{{- $same := get $ports (toString $port) -}}
{{- if $same -}}
{{- fail (printf "latchkey: config.%s and config.%s are both %v: give each a port of its own." $same $key $port) -}}
{{- end -}}
{{- $_ := set $ports (toString $port) $key -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.mode "gateway") (or (dig "doors" "port" nil $config) (dig "doors" "grpcPort" nil $config)) (not .Values.existingConfigMap) (not (dig "doors" "trusted" nil $config)) -}}
{{- fail "latchkey: config.doors.trusted is missing: only the pod itself could ask. Name the addresses of the ingress controller's pods, such as [10.0.0.0/8]." -}}
{{- end -}}
{{- end -}}

{{/* Arguments and variables win over the file, and the chart reads the file alone. */}}
{{- define "latchkey.checkEnvironment" -}}
{{- range .Values.extraArgs -}}
{{- $option := regexFind "^(--[-a-z]+|-c)" . -}}
{{- $key := get (dict "--config" "existingConfigMap" "-c" "existingConfigMap" "--store" "config.store" "--host" "config.listen.host" "--port" "config.listen.port" "--admin-port" "config.admin.port") $option -}}
{{- if $key -}}
{{- fail (printf "latchkey: extraArgs has %s, which the chart does not see: set %s instead." $option $key) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $key := get (dict "LATCHKEY_CONFIG" "existingConfigMap" "LATCHKEY_STORE" "config.store" "LATCHKEY_LISTEN_HOST" "config.listen.host" "LATCHKEY_LISTEN_PORT" "config.listen.port" "LATCHKEY_LISTEN_SOCKET" "config.listen.socket" "LATCHKEY_ADMIN_PORT" "config.admin.port" "LATCHKEY_ADMIN_HOST" "config.admin.host" "LATCHKEY_DOORS_HOST" "config.doors.host" "LATCHKEY_DOORS_PORT" "config.doors.port" "LATCHKEY_DOORS_GRPC_PORT" "config.doors.grpcPort" "LATCHKEY_DATA_DIR" "persistence" "LATCHKEY_LIMITS_DRAIN" "config.limits.drain") (trimSuffix "_FILE" .name) -}}
{{- if $key -}}
{{- fail (printf "latchkey: extraEnv sets %s, which the chart does not see: set %s instead." .name $key) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.config.dataDir (ne (toString .Values.config.dataDir) (include "latchkey.dataFolder" .)) (not .Values.existingConfigMap) -}}
{{- fail (printf "latchkey: config.dataDir is where the chart mounts the volume, %s: leave it out." (include "latchkey.dataFolder" .)) -}}
{{- end -}}
{{- end -}}

{{- define "latchkey.checkEnding" -}}
{{- $least := add (int .Values.preStopSeconds) (int (include "latchkey.drainSeconds" .)) -}}
{{- if le (int (include "latchkey.graceSeconds" .)) (int $least) -}}
{{- fail (printf "latchkey: terminationGracePeriodSeconds is %v, and requests may take %d s to end (preStopSeconds + config.limits.drain): make it more than that, or leave it out." .Values.terminationGracePeriodSeconds $least) -}}
{{- end -}}
{{- end -}}
