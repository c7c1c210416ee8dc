import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { commands } from '../../cli/commandTable.js';
import { startTemporal, type TemporalService } from '../../infra/services/index.js';
import { tempehFlow } from '../support/commandLine.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

interface Answer {
  readonly exitCode: number;
  readonly error?: string;
  readonly messages: readonly string[];
  readonly run?: string;
}

describe('--json: a program reads one object, whatever became of the command', () => {
  const folder = temporaryFolder();
  let server: TemporalService;
  before(async () => {
    server = await startTemporal({ directory: join(folder, 'temporal'), port: 0, uiPort: 0, modest: true });
  });
  after(() => server.stop());
  const ask = async (...args: string[]): Promise<Answer> => {
    const { code, stdout } = await tempehFlow([...args, '--json', '--address', server.address]);
    const answer = JSON.parse(stdout) as Answer;
    assert.equal(answer.exitCode, code);
    return answer;
  };

  test('a start gives the run’s name apart from the human-readable text', async () => {
    const storage = `storage={kind: directory, path: ${folder}}`;
    const answer = await ask('start', 'full-training', '--config', 'miniature', '--run', 'told', '--set', storage);
    assert.equal(answer.exitCode, 0, answer.error);
    assert.equal(answer.run, 'told');
    assert.match(answer.messages.join('\n'), /Started told/);
    const again = await ask('start', 'full-training', '--config', 'miniature', '--run', 'told', '--set', storage);
    assert.match(again.error ?? '', /running already/);
  });

  test('a run that is not there, a wrong option, a wrong setting', async () => {
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['status', 'nowhere'], 1, /knows no run nowhere/],
      [['list', '--stat', 'paused'], 2, /Did you mean --state/],
      [['start', 'full-training', '--set', 'seed=x'], 2, /seed/],
    ];
    for (const [args, exitCode, error] of cases) {
      const answer = await ask(...args);
      assert.equal(answer.exitCode, exitCode);
      assert.match(answer.error ?? '', error);
    }
  });

  test('every command takes --json', async () => {
    for (const { name } of commands) {
      const { stdout, stderr } = await tempehFlow([name, '--help']);
      assert.match(stdout, /--json/, `${name}: ${stderr}`);
    }
  });
});
