{{- define "tempeh.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{- define "tempeh.labels" -}}
app.kubernetes.io/name: tempeh-flow
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "tempeh.selector" -}}
app.kubernetes.io/name: tempeh-flow
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "tempeh.image" -}}
{{- $image := index .root.Values.image .target -}}
{{- $repository := required (printf "image.%s.repository: where the image is" .target) $image.repository -}}
{{- if $image.digest }}{{ $repository }}@{{ $image.digest }}{{ else }}{{ $repository }}:{{ required (printf "image.%s: name a digest, or a tag" .target) $image.tag }}{{ end }}
{{- end }}

{{- define "tempeh.serviceAccount" -}}
{{- $account := index .root.Values.serviceAccounts .part -}}
{{ $account.name | default (printf "%s-%s" (include "tempeh.name" .root) .part) }}
{{- end }}

{{- define "tempeh.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.podSecurity.user }}
runAsGroup: {{ .Values.podSecurity.group }}
fsGroup: {{ .Values.podSecurity.group }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "tempeh.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* How a process finds Temporal. */}}
{{- define "tempeh.temporalEnvironment" -}}
{{- $temporal := .Values.temporal -}}
- { name: TEMPORAL_ADDRESS, value: {{ required "temporal.address: host:port of the frontend" $temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ $temporal.namespace | quote }} }
- { name: TEMPORAL_CONFIG_FILE, value: /dev/null }
{{- if $temporal.tls.enabled }}
- { name: TEMPORAL_TLS, value: 'true' }
{{- with $temporal.tls.serverName }}
- { name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }} }
{{- end }}
{{- if $temporal.tls.ca }}
- { name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /secrets/temporal-tls/ca.crt }
{{- end }}
{{- if $temporal.tls.client }}
- { name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /secrets/temporal-tls/tls.crt }
- { name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /secrets/temporal-tls/tls.key }
{{- end }}
{{- end }}
{{- if $temporal.apiKeySecret }}
- { name: TEMPORAL_API_KEY_FILE, value: /secrets/temporal-key/api-key }
{{- end }}
{{- with $temporal.queuePrefix }}
- { name: TEMPEH_QUEUE_PREFIX, value: {{ . | quote }} }
{{- end }}
{{- if $temporal.payloadKeysSecret }}
- { name: TEMPEH_PAYLOAD_KEYS_FILE, value: /secrets/payload-keys/keys }
{{- end }}
{{- end }}

{{- define "tempeh.workerEnvironment" -}}
{{ include "tempeh.temporalEnvironment" .root }}
- { name: HOME, value: /tmp }
- { name: TEMPEH_GRACE_SECONDS, value: {{ .graceSeconds | quote }} }
{{- with .root.Values.temporal.deployment }}
- { name: TEMPORAL_DEPLOYMENT_NAME, value: {{ . | quote }} }
- { name: TEMPORAL_WORKER_BUILD_ID, value: {{ required "temporal.buildId: the build of the deployment" $.root.Values.temporal.buildId | quote }} }
{{- end }}
{{- $store := .root.Values.objectStore }}
{{- with $store.region }}
- { name: AWS_REGION, value: {{ . | quote }} }
{{- end }}
{{- with $store.endpoint }}
- { name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }} }
{{- end }}
{{- with $store.credentialsSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ . }}, key: access-key-id } }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ . }}, key: secret-access-key } }
{{- end }}
{{- if $store.caSecret }}
- { name: AWS_CA_BUNDLE, value: /secrets/object-store-ca/ca.crt }
{{- end }}
{{- with .root.Values.limits.folders }}
- { name: TEMPEH_FOLDERS, value: {{ . | quote }} }
{{- end }}
{{- with .root.Values.limits.stores }}
- { name: TEMPEH_STORES, value: {{ . | quote }} }
{{- end }}
{{- with .root.Values.extraEnvironment }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Volumes of secrets, by reference: what is renewed is seen without a restart. */}}
{{- define "tempeh.secretVolumes" -}}
{{- $temporal := .Values.temporal }}
{{- if and $temporal.tls.enabled (or $temporal.tls.ca $temporal.tls.client) }}
- name: temporal-tls
  secret: { secretName: {{ required "temporal.tls.secret: the secret that has the certificates" $temporal.tls.secret }}, defaultMode: 0440 }
{{- end }}
{{- with $temporal.apiKeySecret }}
- name: temporal-key
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- with $temporal.payloadKeysSecret }}
- name: payload-keys
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- with .Values.objectStore.caSecret }}
- name: object-store-ca
  secret: { secretName: {{ . }}, defaultMode: 0444 }
{{- end }}
{{- end }}

{{- define "tempeh.secretMounts" -}}
{{- $temporal := .Values.temporal }}
{{- if and $temporal.tls.enabled (or $temporal.tls.ca $temporal.tls.client) }}
- { name: temporal-tls, mountPath: /secrets/temporal-tls, readOnly: true }
{{- end }}
{{- if $temporal.apiKeySecret }}
- { name: temporal-key, mountPath: /secrets/temporal-key, readOnly: true }
{{- end }}
{{- if $temporal.payloadKeysSecret }}
- { name: payload-keys, mountPath: /secrets/payload-keys, readOnly: true }
{{- end }}
{{- if .Values.objectStore.caSecret }}
- { name: object-store-ca, mountPath: /secrets/object-store-ca, readOnly: true }
{{- end }}
{{- end }}

{{- define "tempeh.pod" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "tempeh.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .settings.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
# The worker ends within its grace; the two seconds are the kubelet's.
terminationGracePeriodSeconds: {{ add .settings.graceSeconds 2 }}
securityContext: {{ include "tempeh.podSecurity" .root | nindent 2 }}
{{- end }}

{{- define "tempeh.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 10
{{- end }}

{{/* A quantity, in bytes. */}}
{{- define "tempeh.bytes" -}}
{{- $number := regexFind "^[0-9.]+" . -}}
{{- $units := dict "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 -}}
{{- $unit := trimPrefix $number . -}}
{{- if not (hasKey $units $unit) }}{{ fail (printf "%s: expected a quantity, as 20Gi" .) }}{{ end -}}
{{- mulf (float64 $number) (index $units $unit) | int64 -}}
{{- end }}

{{/* Of the volume's size nine tenths: the rest is for logs, and for what is being written. A pod above it is evicted. */}}
{{- define "tempeh.cacheBytes" -}}
{{- mulf (include "tempeh.bytes" .size | float64) 0.9 | int64 -}}
{{- end }}

{{/* The node's disk that an emptyDir takes counts against the pod's limit: above it the pod is evicted, as it is for any other. */}}
{{- define "tempeh.gpuResources" -}}
{{- $resources := deepCopy .resources -}}
{{- if eq .cache.kind "emptyDir" -}}
{{- range $of := list "requests" "limits" -}}
{{- $amounts := index $resources $of | default dict -}}
{{- with index $amounts "ephemeral-storage" -}}
{{- $sum := add (include "tempeh.bytes" (toString .) | int64) (include "tempeh.bytes" $.cache.size | int64) -}}
{{- $_ := set $amounts "ephemeral-storage" (toString $sum) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ toYaml $resources }}
{{- end }}

{{/* A GPU worker's pod: of a job or of a deployment. */}}
{{- define "tempeh.gpuPod" -}}
{{- $gpu := .Values.gpu -}}
metadata:
  labels: {{ include "tempeh.labels" (dict "root" . "part" "gpu") | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # What moves pods to pack nodes would cost a checkpoint's interval each time.
    karpenter.sh/do-not-disrupt: 'true'
    cluster-autoscaler.kubernetes.io/safe-to-evict: 'false'
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- include "tempeh.pod" (dict "root" . "part" "gpu" "settings" $gpu) | nindent 2 }}
  {{- with $gpu.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- if eq $gpu.mode "jobs" }}
  restartPolicy: Never
  {{- end }}
  containers:
    - name: worker
      image: {{ include "tempeh.image" (dict "root" . "target" "gpu") }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - worker
        - gpu
        {{- if eq $gpu.cache.kind "hostPath" }}
        # Pods of a node share frames, and nothing else.
        - --directory=/work
        - --cache=/frames
        {{- else }}
        - --directory=/frames
        {{- end }}
        - --cache-bytes={{ include "tempeh.cacheBytes" $gpu.cache }}
        - --metrics=0.0.0.0:9464
        {{- if eq $gpu.mode "jobs" }}
        - --tasks=1
        - --exit-when-idle={{ $gpu.jobs.idleSeconds }}
        {{- end }}
      env: {{ include "tempeh.workerEnvironment" (dict "root" . "graceSeconds" $gpu.graceSeconds) | nindent 8 }}
      ports:
        - { name: metrics, containerPort: 9464 }
      {{- include "tempeh.probes" . | nindent 6 }}
      resources: {{ include "tempeh.gpuResources" $gpu | nindent 8 }}
      securityContext: {{ include "tempeh.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - { name: cache, mountPath: /frames }
        {{- if eq $gpu.cache.kind "hostPath" }}
        - { name: work, mountPath: /work }
        {{- end }}
        - { name: tmp, mountPath: /tmp }
        {{- include "tempeh.secretMounts" . | nindent 8 }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 2Gi }
    {{- if eq $gpu.cache.kind "hostPath" }}
    - name: work
      emptyDir: { sizeLimit: 5Gi }
    {{- end }}
    - name: cache
      {{- if eq $gpu.cache.kind "emptyDir" }}
      emptyDir: { sizeLimit: {{ $gpu.cache.size }} }
      {{- else if eq $gpu.cache.kind "hostPath" }}
      hostPath: { path: {{ $gpu.cache.hostPath }}, type: Directory }
      {{- else }}
      ephemeral:
        volumeClaimTemplate:
          spec:
            accessModes: [ReadWriteOnce]
            {{- with $gpu.cache.storageClass }}
            storageClassName: {{ . }}
            {{- end }}
            resources: { requests: { storage: {{ $gpu.cache.size }} } }
      {{- end }}
    {{- include "tempeh.secretVolumes" . | nindent 4 }}
{{- end }}
