import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodePng } from '../../../datasets/formats/images/image.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { EventLog } from '../../../checkpoints/events/eventLog.js';

const folder = temporaryFolder();

/** The interpreter that has TensorBoard; `TEMPEH_PYTHON` names another than python3. */
const python = process.env['TEMPEH_PYTHON'] ?? 'python3';
const isThere = spawnSync(python, ['-c', 'import tensorboard']).status === 0;

const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
log = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'images': 0})
log.Reload()
print(json.dumps({
    'scalars': {tag: [[e.step, e.value] for e in log.Scalars(tag)] for tag in log.Tags()['scalars']},
    'images': {tag: [[e.step, e.width, e.height] for e in log.Images(tag)] for tag in log.Tags()['images']},
}))`;
import { temporaryFolder } from '../../support/temporaryFolder.js';

test(
  'the real TensorBoard reads segments one after the other',
  { skip: isThere ? false : `${python} has no tensorboard` },
  async () => {
    const log = new EventLog({ store: directoryStore(folder), run: 'r', stage: 'coarse', attempt: 'one' }, 0);
    const png = await encodePng({ width: 4, height: 2, data: new Uint8Array(24) });
    for (const step of [10, 20, 30]) {
      log.scalar(step, 'Total loss/train', step / 4);
      log.picture(step, 'Train/view_id_00', { width: 4, height: 2, png });
      const { key, body } = log.seal(step)!;
      await writeFile(join(folder, key.slice(key.lastIndexOf('/') + 1)), body);
    }
    const { stdout, stderr } = spawnSync(python, ['-c', script, folder], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(stdout || stderr), {
      scalars: {
        'Total loss/train': [
          [10, 2.5],
          [20, 5],
          [30, 7.5],
        ],
      },
      images: {
        'Train/view_id_00': [
          [10, 4, 2],
          [20, 4, 2],
          [30, 4, 2],
        ],
      },
    });
  },
);
