{{- define "tocsin.name" -}}
{{- printf "%s-%s" .Release.Name "tocsin" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "tocsin.labels" -}}
app.kubernetes.io/name: tocsin
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tocsin.selector" -}}
app.kubernetes.io/name: tocsin
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tocsin.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tocsin.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "tocsin.guardArguments" -}}
- --guard
- {{ .Values.guard.ref | quote }}
{{- with .Values.guard.backbone }}
- --backbone
- {{ . | quote }}
{{- end }}
{{- with .Values.guard.precision }}
- --precision
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "tocsin.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "tocsin.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
{{- end -}}

{{/* Of the workers: with CUDA where they have GPUs. */}}
{{- define "tocsin.workerImage" -}}
{{- if .Values.gpu.enabled -}}
image: {{ printf "%s:%s" .Values.image.repository (default (printf "%s-cuda" (default .Chart.AppVersion .Values.image.tag)) .Values.gpu.tag) | quote }}
{{- else -}}
{{- include "tocsin.image" . -}}
{{- end -}}
{{- end -}}

{{/* Whole cores of a worker: worker.threads, or its CPU limit, or its CPU request, rounded up ("1500m" is 2). */}}
{{- define "tocsin.threads" -}}
{{- if .Values.worker.threads -}}
{{- .Values.worker.threads -}}
{{- else -}}
{{- $resources := .Values.worker.resources -}}
{{- $limits := default dict $resources.limits -}}
{{- $requests := default dict $resources.requests -}}
{{- with default $requests.cpu $limits.cpu -}}
{{- $cpu := toString . -}}
{{- if hasSuffix "m" $cpu -}}
{{- max 1 (ceil (divf (trimSuffix "m" $cpu | float64) 1000)) -}}
{{- else -}}
{{- max 1 (ceil (float64 $cpu)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the containers have in common. */}}
{{- define "tocsin.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
envFrom:
  - secretRef: { name: {{ .Values.secretName | quote }} }
env:
  - { name: TOCSIN_METRICS_PORT, value: {{ .Values.metrics.port | quote }} }
  - { name: TOCSIN_METRICS_HOST, value: 0.0.0.0 }
  - { name: ORT_DISABLE_TELEMETRY, value: '1' }
  - { name: TOCSIN_SCHEMA, value: {{ .Values.schema | quote }} }
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "tocsin.mounts" -}}
- { name: state, mountPath: /var/lib/tocsin }
- { name: cache, mountPath: /var/cache/tocsin }
- { name: tmp, mountPath: /tmp }
{{- end -}}

{{- define "tocsin.volumes" -}}
- name: state
  emptyDir: {}
- name: tmp
  emptyDir: {}
- name: cache
  {{- if .Values.cache.existingClaim }}
  persistentVolumeClaim: { claimName: {{ .Values.cache.existingClaim | quote }} }
  {{- else }}
  emptyDir: { sizeLimit: {{ .Values.cache.size | quote }} }
  {{- end }}
{{- end -}}

{{- define "tocsin.probes" -}}
ports:
  - { name: metrics, containerPort: {{ .Values.metrics.port }} }
# A first start may download a guard.
startupProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 360
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 8
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
{{- end -}}
