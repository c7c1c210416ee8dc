import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { LineLogger } from '../../workers/log.js';

function logged(write: (logger: LineLogger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(new LineLogger('gpu', (line) => void lines.push(line)));
  assert.ok(lines.every((line) => line.endsWith('\n') && !line.slice(0, -1).includes('\n')));
  return lines.map((line) => {
    const { time, host, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.ok(!Number.isNaN(Date.parse(String(time))));
    assert.equal(host, hostname());
    return rest;
  });
}

test('an event is a line that can be searched: who, what, which run; errors by their message', () => {
  const error = new Error('The disk is full.\nReally.');
  const meta = { sdkComponent: 'worker', workflowId: 'run/refinement', activityType: 'trainStage', attempt: 3, error };
  assert.deepEqual(
    logged((logger) => logger.warn('Activity failed', meta)),
    [
      {
        level: 'warn',
        worker: 'gpu',
        message: 'Activity failed',
        run: 'run',
        step: 'refinement',
        workflowId: 'run/refinement',
        activityType: 'trainStage',
        attempt: 3,
        error: 'The disk is full.\nReally.',
      },
    ],
  );
});

test('what the SDK logs about itself stays out, the beginning and end of activities are in, payloads never', () => {
  const sdk = { sdkComponent: 'worker' };
  const lines = logged((logger) => {
    logger.info('Worker state changed', { ...sdk, state: 'RUNNING' });
    logger.warn('No workflows registered, not polling for workflow tasks', sdk);
    logger.debug('Activity started', { ...sdk, task: 'payload', taskToken: 'token' });
    logger.debug('something else', sdk);
    logger.debug('Activity failed', sdk);
    logger.error('Fatal', sdk);
    logger.info('ready');
    logger.quiet().info('ready');
  });
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [
      ['info', 'Activity started'],
      ['info', 'Activity failed'],
      ['error', 'Fatal'],
      ['info', 'ready'],
    ],
  );
  assert.ok(!JSON.stringify(lines).includes('payload') && !JSON.stringify(lines).includes('token'));
});
