import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { connectClient } from '../../client/connection/client.js';
import { startRun } from '../../client/runs/runs.js';
import { isTraced } from '../../client/tracing.js';
import { runDataWorker } from '../../workers/dataWorker.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { testConfiguration } from '../workflows/support/configuration.js';
import { startTestTemporal, type TestTemporal } from '../workflows/support/temporal.js';
import { waitFor } from '../workflows/support/waitFor.js';
import { forkGpuWorker, killForkedWorkers } from './support/gpuWorkers.js';

interface Span {
  readonly service: string;
  readonly name: string;
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
}

/** OTLP, as its makers' own definitions read it. */
interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        name: string;
        traceId: Uint8Array;
        spanId: Uint8Array;
        parentSpanId: Uint8Array | null;
      }[];
    }[];
  }[];
}
const { opentelemetry } = createRequire(import.meta.url)(
  '@opentelemetry/otlp-transformer/build/src/generated/root.js',
) as {
  opentelemetry: {
    proto: { collector: { trace: { v1: { ExportTraceServiceRequest: { decode: (bytes: Uint8Array) => Request } } } } };
  };
};
const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('hex');

const spans: Span[] = [];
/** What OpenTelemetry calls a collector. */
const collector = createServer((request, response) => {
  void buffer(request).then((body) => {
    const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
    const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    for (const { resource, scopeSpans } of ExportTraceServiceRequest.decode(bytes).resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
      for (const { name, traceId, spanId, parentSpanId } of scopeSpans.flatMap(({ spans }) => spans)) {
        spans.push({ service, name, trace: hex(traceId), id: hex(spanId), parent: hex(parentSpanId) });
      }
    }
    response.writeHead(request.url === '/v1/traces' ? 200 : 404).end();
  });
});

let temporal: TestTemporal;
before(async () => {
  temporal = await startTestTemporal();
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
});
after(async () => {
  killForkedWorkers();
  await temporal.stop();
  collector.close();
  collector.closeAllConnections();
});

test('traces are a matter of the standard variables', () => {
  assert.equal(isTraced({}), false);
  assert.equal(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' }), true);
  assert.equal(isTraced({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces' }), true);
  assert.equal(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h', OTEL_SDK_DISABLED: 'TRUE' }), false);
  assert.equal(isTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h', OTEL_TRACES_EXPORTER: 'none' }), false);
});

test('one trace leads from the command that starts a run through its steps to their activities on a GPU worker', async () => {
  const path = temporaryFolder();
  const environment = { ...process.env, TEMPEH_FOLDERS: path };
  const configuration = testConfiguration({
    storage: { kind: 'directory', path },
    training: { 'coarse-pretraining': { iterations: 5 }, 'coarse-finetuning': { iterations: 6 } },
  });
  const stop = new AbortController();
  const options = { temporal: temporal.settings, directory: temporaryFolder(), environment, writeLog: () => undefined };
  const data = runDataWorker({ ...options, signal: stop.signal });
  const client = await connectClient(temporal.settings);
  try {
    await forkGpuWorker(temporal.settings, temporaryFolder(), [path]);
    await startRun(client, { run: 'traced', configuration, steps: ['coarse-pretraining', 'coarse-finetuning'] });
    await client.workflow.getHandle('traced').result();
    const work = await waitFor('the activity’s span', async () =>
      spans.find(({ name }) => name === 'RunActivity:trainStage'),
    );
    assert.equal(work.service, 'tempeh-flow-gpu');
    const started = await waitFor('the span of the start', async () =>
      spans.find(({ name }) => name === 'StartWorkflow:fullTraining'),
    );
    const names: string[] = [];
    for (let span: Span | undefined = work; span !== undefined; span = spans.find(({ id }) => id === span?.parent)) {
      names.unshift(span.name);
      assert.equal(span.trace, started.trace);
    }
    assert.deepEqual(names, ['StartWorkflow:fullTraining', 'RunActivity:trainStage']);
  } finally {
    await client.connection.close();
    stop.abort();
    await data;
  }
});

test('an address that is none is named, and keeps nobody from working', async () => {
  const { code, stderr } = await tempehFlow(['list', '--address', temporal.settings.address], {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
  });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Traces are lost: OTEL_EXPORTER_OTLP_ENDPOINT: found collector:4318; expected .*http:/);
});
