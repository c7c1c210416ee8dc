import { createRequire } from 'node:module';
import type { ActivityInterceptorsFactory, InjectedSinks, Logger } from '@temporalio/worker';
import type { OpenTelemetrySinks } from '@temporalio/interceptors-opentelemetry';
import { openTracer } from '../../client/tracing.js';
import { within } from '../lifecycle/within.js';

/** Seconds for the last spans. */
const flushSeconds = 2;

/** What a worker is made with so that runs can be followed from the command that started them down to activities. */
export interface Tracing {
  readonly activity: ActivityInterceptorsFactory;
  readonly sinks: InjectedSinks<OpenTelemetrySinks>;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** The module that goes into the workflows' bundle. */
export const workflowTracing = (): string =>
  createRequire(import.meta.url).resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors.js');

/** To be called where `isTraced`. */
export async function openTracing(name: 'data' | 'gpu', logger: Logger): Promise<Tracing> {
  const { processor, resource } = await openTracer(
    `tempeh-flow-${name}`,
    false,
    (message) => void logger.warn(message),
  );
  const { makeWorkflowExporter, OpenTelemetryActivityInboundInterceptor } =
    await import('@temporalio/interceptors-opentelemetry');
  return {
    activity: (context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) }),
    sinks: { exporter: makeWorkflowExporter(processor, resource) },
    close: async () => {
      await within(
        processor.forceFlush().catch(() => undefined),
        flushSeconds,
        undefined,
      );
    },
  };
}
