import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { packageRoot } from '../../../configs/packageRoot.js';
import { LineLogger } from '../../../workers/log.js';
import { installRuntime } from '../../../workers/temporal/runtime.js';
import { workflowBundle } from '../../../workers/temporal/workflowBundle.js';
import { recordWorkflows } from './previousWorkflows.js';

const { History } = proto.temporal.api.history.v1;
type History = proto.temporal.api.history.v1.IHistory;

interface NamedHistory {
  readonly workflowId: string;
  readonly history: History;
}

/** Files of Temporal's binary form, `VERSION-WORKFLOW@STEP.history.gz`. (Its JSON form needs a single protobufjs; we have two.) */
const folder = join(packageRoot, 'test', 'workflows', 'histories');

/** Replays the histories of everything that a server has run. @returns their number and what did not replay. */
export async function replayAll(client: Client): Promise<{ count: number; errors: string[] }> {
  const histories: NamedHistory[] = [];
  for await (const { workflowId, history } of client.workflow.list().intoHistories()) {
    histories.push({ workflowId, history: history as History });
  }
  record(histories);
  return replay(histories);
}

/** Replays what real runs of earlier versions recorded: a run that such a version started must be finished by this one. */
export function replayRecorded(): Promise<{ count: number; errors: string[] }> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.history.gz'));
  return replay(
    names.map((name) => ({
      workflowId: name.replace(/\.history\.gz$/, '').replaceAll('@', '/'),
      history: History.decode(gunzipSync(readFileSync(join(folder, name)))),
    })),
  );
}

async function replay(histories: NamedHistory[]): Promise<{ count: number; errors: string[] }> {
  const logger = new LineLogger('test', undefined, 'ERROR');
  installRuntime(logger);
  const bundle = await workflowBundle(logger);
  const errors: string[] = [];
  let count = 0;
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, histories)) {
    count++;
    if (error !== undefined) errors.push(`${workflowId}: ${error.message}`);
  }
  return { count, errors };
}

/** TEMPEH_RECORD=VERSION npm test keeps the histories of this version, and its workflows, for those that come. */
function record(histories: readonly NamedHistory[]): void {
  const prefix = process.env['TEMPEH_RECORD'];
  if (prefix === undefined) return;
  recordWorkflows(prefix);
  mkdirSync(folder, { recursive: true });
  for (const { workflowId, history } of histories) {
    const name = `${prefix}-${workflowId.replaceAll('/', '@')}.history.gz`;
    writeFileSync(join(folder, name), gzipSync(History.encode(history).finish()));
  }
}
