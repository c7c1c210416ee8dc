/** Names of variables, or patterns of them. */
type Names = readonly (string | RegExp)[];

/** What any program needs to run, and to find its way on this machine. */
const common: Names = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'HOSTNAME', 'TMPDIR', 'TEMP', 'TMP', 'TZ', 'TERM', 'NO_COLOR', 'FORCE_COLOR'],
  ...['LANG', 'LANGUAGE', /^LC_/, /^LD_/, /^MALLOC_/, /^GLIBC_/, /^XDG_/],
];
const node: Names = [/^NODE_/, 'SSL_CERT_FILE', 'SSL_CERT_DIR'];
const network: Names = [/^(grpc|https?|no|all)_proxy$/i];
const objectStore: Names = [/^AWS_/];
const temporal: Names = [/^TEMPORAL_/];
/** Where traces go. A header among them may hold a key. */
const traces: Names = [/^OTEL_/];
/** Variables of TensorFlow and the libraries below it. */
const computing: Names = [
  /^(TF|TFJS|XLA|PJRT|CUDA|CUDNN|CUBLAS|NCCL|NVIDIA|ONEDNN|DNNL|MKL|OMP|KMP|GOMP|OPENBLAS|EIGEN|ROCM|HIP|HSA)_/,
];
/** Ours, but not what only fetching needs (whom to ask, and with what), nor the keys of what Temporal stores. */
const ours: Names = [/^TEMPEH_(?!USERNAME|PASSWORD|HOST|PAYLOAD_KEYS|NOTICE)/];
const payloadKeys: Names = [/^TEMPEH_PAYLOAD_KEYS/];

/**
 * Which variables a process is started with, by what it is. A process that does not get a secret cannot give it away: no
 * other than the data worker gets the credentials of the published data.
 */
const namesFor = {
  'data-worker': [...common, ...node, ...network, ...objectStore, ...temporal, ...traces, /^TEMPEH_/],
  'gpu-worker': [
    ...[...common, ...node, ...network, ...objectStore, ...temporal, ...traces, ...computing, ...ours, ...payloadKeys],
  ],
  /** Trainer and predictor: their worker speaks with Temporal for them. */
  'gpu-process': [...common, ...node, ...network, ...objectStore, ...computing, ...ours],
  tensorboard: [...common, /^PYTHON/],
  /** A program of the data worker's owner that is notified of what happens to runs. */
  notice: [...common, ...network],
} as const satisfies Record<string, Names>;

/** The part of an environment that a process of this kind needs. */
export function environmentFor(
  kind: keyof typeof namesFor,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const names: Names = namesFor[kind];
  const isNeeded = (name: string) =>
    names.some((known) => (typeof known === 'string' ? known === name : known.test(name)));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => isNeeded(name)));
}
