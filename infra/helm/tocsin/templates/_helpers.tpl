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

{{/* What every container of the image has in common. */}}
{{- define "tocsin.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
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
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  initialDelaySeconds: 30
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 8
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
{{- end -}}
