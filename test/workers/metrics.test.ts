import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { parse } from 'yaml';
import { metricNames } from '../../activities/processes/stageMetrics.js';
import { packageRoot } from '../../infra/setup/paths.mjs';
import { gpuLines } from '../../workers/metrics/gpuReadings.js';
import { parseMetricsAddress, serveMetrics, workerMetrics } from '../../workers/metrics/metricsServer.js';

test('an address for metrics: this machine alone unless a host is named; what is none is refused', () => {
  assert.deepEqual(parseMetricsAddress(':9464'), { host: '127.0.0.1', port: 9464 });
  assert.deepEqual(parseMetricsAddress('[::1]:0'), { host: '::1', port: 0 });
  for (const text of ['9464', 'host:99999', 'http://host:1', 'a b:1', '0.0.0.0:']) {
    assert.throws(() => parseMetricsAddress(text), /expected HOST:PORT/);
  }
});

test('a worker is alive before it is ready, and not ready once it stops; an exporter that is gone is reported', async () => {
  const exporter = createServer((_, response) => response.end('temporal_requests_total 1\n# EOF\n'));
  await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
  const { port } = exporter.address() as AddressInfo;
  const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, `http://127.0.0.1:${port}/metrics`);
  const ask = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${server.address.port}${path}`);
    return [response.status, await response.text()];
  };
  try {
    assert.deepEqual(await ask('/healthz'), [200, 'ok\n']);
    assert.deepEqual(await ask('/readyz'), [503, 'starting\n']);
    server.tell('ready');
    assert.deepEqual(await ask('/readyz?verbose'), [200, 'ready\n']);
    const [status, text] = await ask('/metrics');
    assert.equal(status, 200);
    // OpenMetrics' end mark would hide what comes after it.
    assert.match(text, /^temporal_requests_total 1\n(?!# EOF)/);
    assert.match(text, /^tempeh_worker_unfit 0$/m);
    server.tell('unfit');
    assert.deepEqual(await ask('/readyz'), [503, 'unfit\n']);
    assert.match((await ask('/metrics'))[1], /^tempeh_worker_unfit 1$/m);
    server.tell('stopping');
    assert.deepEqual(await ask('/readyz'), [503, 'stopping\n']);
    exporter.close();
    exporter.closeAllConnections();
    assert.equal((await ask('/metrics'))[0], 503);
  } finally {
    await server.close();
    exporter.close();
  }
});

test("GPUs' readings in Prometheus' units; what a device does not report is left out", () => {
  const lines = gpuLines(
    '0, GPU-1a, NVIDIA H200, 1024, 143771, 37, 55\n1, GPU-2b, "odd\\name", [N/A], 143771, 0, [N/A]\n',
  );
  assert.match(lines, /^tempeh_gpu_memory_used_bytes\{gpu="0",uuid="GPU-1a",model="NVIDIA H200"\} 1073741824$/m);
  assert.match(lines, /^tempeh_gpu_utilization_ratio\{gpu="0",.*\} 0\.37$/m);
  assert.equal(lines.match(/^tempeh_gpu_memory_used_bytes\{/gm)?.length, 1);
  assert.match(lines, /model="_odd_name_"/);
  assert.equal(gpuLines(''), '');
});

test('alerts and dashboard name metrics that workers have, and parts of the operating guide that exist', () => {
  const file = (name: string): string => readFileSync(`${packageRoot}/infra/monitoring/${name}`, 'utf8');
  const known = new Set<string>([
    ...Object.values(metricNames).flatMap((name) => [name, `${name}_total`]),
    ...Object.values(workerMetrics),
    ...['memory_used_bytes', 'memory_total_bytes', 'utilization_ratio'].map((name) => `tempeh_gpu_${name}`),
  ]);
  for (const name of ['alerts.yaml', 'dashboard.json']) {
    for (const [spoken] of file(name).matchAll(/\btempeh_[a-z_]+\b/g))
      assert.ok(known.has(spoken), `${name}: ${spoken}`);
  }
  const { groups } = parse(file('alerts.yaml')) as { groups: { rules: { annotations: { runbook: string } }[] }[] };
  const guide = readFileSync(`${packageRoot}/docs/operating.md`, 'utf8');
  const anchors = [...guide.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const { annotations } of groups.flatMap(({ rules }) => rules)) {
    const [page, anchor] = annotations.runbook.split('#');
    assert.equal(page, 'docs/operating.md');
    assert.ok(anchors.includes(anchor!), annotations.runbook);
  }
});
