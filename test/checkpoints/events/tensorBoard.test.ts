import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodePng } from '../../../datasets/formats/images/image.js';
import { directoryStore } from '../../../storage/directory/directoryStore.js';
import { versionRecord } from '../../../checkpoints/events/eventRecords.js';
import { hparamsRecord, meshRecords } from '../../../checkpoints/events/pluginRecords.js';
import { cacheDirectory } from '../../../infra/setup/paths.mjs';
import { EventLog } from '../../../checkpoints/events/eventLog.js';
import { temporaryFolder } from '../../support/temporaryFolder.js';

const folder = temporaryFolder();

/** The interpreter that has TensorBoard, or what `tempeh-flow tensorboard` has installed; `TEMPEH_PYTHON` names another than python3. */
const python = process.env['TEMPEH_PYTHON'] ?? 'python3';
const installed = existsSync(cacheDirectory)
  ? readdirSync(cacheDirectory).find((name) => name.startsWith('tensorboard-py'))
  : undefined;
const env = { ...process.env, ...(installed && { PYTHONPATH: join(cacheDirectory, installed) }) };
const isThere = spawnSync(python, ['-c', 'import tensorboard'], { env }).status === 0;

const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
log = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'images': 0})
log.Reload()
print(json.dumps({
    'scalars': {tag: [[e.step, e.value] for e in log.Scalars(tag)] for tag in log.Tags()['scalars']},
    'images': {tag: [[e.step, e.width, e.height] for e in log.Images(tag)] for tag in log.Tags()['images']},
}))`;

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
    const { stdout, stderr } = spawnSync(python, ['-c', script, folder], { encoding: 'utf8', env });
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

const pluginScript = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.mesh import metadata as mesh
from tensorboard.util import tensor_util
log = EventAccumulator(sys.argv[1])
log.Reload()
meshes = {}
for tag, content in log.PluginTagToContent('mesh').items():
    data = mesh.parse_plugin_metadata(content)
    array = tensor_util.make_ndarray(log.Tensors(tag)[0].tensor_proto)
    meshes[tag] = [data.name, data.content_type, list(data.shape), data.components, str(array.dtype), array.tolist()]
start = hparams.parse_session_start_info_plugin_data(log.PluginTagToContent('hparams')['_hparams_/session_start_info'])
values = {name: getattr(value, value.WhichOneof('kind')) for name, value in start.hparams.items()}
print(json.dumps({'meshes': meshes, 'group': start.group_name, 'hparams': values}))`;

test(
  'the real TensorBoard’s plugins understand heads and hyper-parameters',
  { skip: isThere ? false : `${python} has no tensorboard` },
  async () => {
    const plugins = join(folder, 'plugins');
    await mkdir(plugins);
    const head = {
      vertices: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8.5),
      faces: Uint32Array.of(0, 1, 2),
      colours: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255),
    };
    const settings = { 'refinement.learningRate': 1e-3, viewKind: 'stereo', flag: true, absent: null };
    const body = Buffer.concat([
      versionRecord(1),
      ...meshRecords(1, 30, 'Val/head', head),
      hparamsRecord(1, 'famos-1', settings),
    ]);
    await writeFile(join(plugins, 'events.out.tfevents.0000000001.one'), body);
    const { stdout, stderr } = spawnSync(python, ['-c', pluginScript, plugins], { encoding: 'utf8', env });
    const all = 2 + 4 + 8;
    assert.deepEqual(JSON.parse(stdout || stderr), {
      meshes: {
        'Val/head_VERTEX': [
          'Val/head',
          1,
          [1, 3, 3],
          all,
          'float32',
          [
            [
              [0, 1, 2],
              [3, 4, 5],
              [6, 7, 8.5],
            ],
          ],
        ],
        'Val/head_FACE': ['Val/head', 2, [1, 1, 3], all, 'int32', [[[0, 1, 2]]]],
        'Val/head_COLOR': [
          'Val/head',
          3,
          [1, 3, 3],
          all,
          'uint8',
          [
            [
              [255, 0, 0],
              [0, 255, 0],
              [0, 0, 255],
            ],
          ],
        ],
      },
      group: 'famos-1',
      hparams: { 'refinement.learningRate': 1e-3, viewKind: 'stereo', flag: true },
    });
  },
);
