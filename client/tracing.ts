import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { printable } from '../text/printable.js';
import { webAddress } from '../text/webAddress.js';

/** Milliseconds from one word about a collector that does not take spans to the next. */
const wordInterval = 600_000;

const endpointVariables = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

/** Where spans go, of the whole process. */
export interface Tracer {
  readonly processor: SpanProcessor;
}

/** Whether the variables that OpenTelemetry has for it say where traces go. Nothing of it is loaded otherwise. */
export function isTraced(environment: NodeJS.ProcessEnv = process.env): boolean {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter } = environment;
  const isNamed = endpointVariables.some((name) => environment[name]);
  return isNamed && disabled?.toLowerCase() !== 'true' && exporter !== 'none';
}

let opened: Promise<Tracer> | undefined;

/**
 * Sends this process's spans by OTLP over HTTP, as the variables `OTEL_…` say.
 *
 * @param service its name where `OTEL_SERVICE_NAME` says none.
 * @param atOnce each span is sent when it ends, for a process that does not last.
 * @param warn is called when the collector does not take them.
 */
export function openTracer(service: string, atOnce: boolean, warn: (message: string) => void): Promise<Tracer> {
  opened ??= open(service, atOnce, warn);
  return opened;
}

async function open(service: string, atOnce: boolean, warn: (message: string) => void): Promise<Tracer> {
  const [
    { diag, DiagLogLevel },
    { OTLPTraceExporter },
    { detectResourcesSync, envDetectorSync, Resource },
    sdk,
    hooks,
  ] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/context-async-hooks'),
  ]);
  let warnedAt = -Infinity;
  const onError = (message: string): void => {
    if (performance.now() - warnedAt < wordInterval) return;
    warnedAt = performance.now();
    warn(`Traces are lost: ${printable(messageOf(message), 300)}. See OTEL_EXPORTER_OTLP_ENDPOINT.`);
  };
  for (const name of endpointVariables) {
    const text = process.env[name];
    if (!text || webAddress(text) !== null) continue;
    warn(
      `Traces are lost: ${name}: found ${printable(text, 100)}; expected an address that begins with http:// or https://`,
    );
  }
  const ignore = (): void => undefined;
  const listener = { error: onError, warn: ignore, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(listener, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
  const exporter = new OTLPTraceExporter();
  const processor = atOnce ? new sdk.SimpleSpanProcessor(exporter) : new sdk.BatchSpanProcessor(exporter);
  const resource = new Resource({ 'service.name': service }).merge(
    detectResourcesSync({ detectors: [envDetectorSync] }),
  );
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new hooks.AsyncLocalStorageContextManager().enable() });
  return { processor };
}

/** Errors come as JSON, stack and all. */
function messageOf(text: string): string {
  try {
    const { message, code } = JSON.parse(text) as { message?: unknown; code?: unknown };
    return [code, message].filter((part) => typeof part === 'string' && part !== '').join(': ');
  } catch {
    return text;
  }
}

/** Has a command's traces begin with what it asks of Temporal. */
export async function clientInterceptors(): Promise<WorkflowClientInterceptor[]> {
  await openTracer('tempeh-flow', true, (message) => process.stderr.write(`${message}\n`));
  const { OpenTelemetryWorkflowClientInterceptor } =
    await import('@temporalio/interceptors-opentelemetry/lib/client/index.js');
  return [new OpenTelemetryWorkflowClientInterceptor()];
}
