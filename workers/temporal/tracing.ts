import type { ActivityInterceptorsFactory, Logger } from '@temporalio/worker';
import { openTracer } from '../../client/tracing.js';
import { within } from '../lifecycle/within.js';

/** Seconds for the last spans. */
const flushSeconds = 2;

/** What a worker is made with so that runs can be followed from the command that started them down to activities. */
export interface Tracing {
  readonly activity: ActivityInterceptorsFactory;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** To be called where `isTraced`. */
export async function openTracing(name: 'data' | 'gpu', logger: Logger): Promise<Tracing> {
  const { processor } = await openTracer(`tempeh-flow-${name}`, false, (message) => void logger.warn(message));
  const { OpenTelemetryActivityInboundInterceptor } =
    await import('@temporalio/interceptors-opentelemetry/lib/worker/index.js');
  return {
    activity: (context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) }),
    close: async () => {
      await within(
        processor.forceFlush().catch(() => undefined),
        flushSeconds,
        undefined,
      );
    },
  };
}
