import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunStep } from '../../../configs/temporal.js';
import { fillDisk } from './fillDisk.js';
import { hasNamespace } from '../cluster/namespace.js';
import { kill, orEnded, supervised, until, type Scene } from '../scene.js';
import type { SeenRequest } from '../../support/servers/s3Proxy.js';

/** Something that goes wrong while no stage trains: it waits for its moment by itself. */
export interface OtherFault {
  readonly name: string;
  readonly step: RunStep;
  /** @returns when it is done, with a request that is a sign of the work going on. */
  strike(scene: Scene, struck: () => void): Promise<void>;
}

const puts =
  (folder: string) =>
  ({ method, path }: SeenRequest): boolean =>
    method === 'PUT' && path.includes(folder);

const predictions = '/predictions/coarse/';
const evaluation = '/evaluation/';

/** Waits for a request, does it, waits for the next such request. */
const when = (
  name: string,
  step: RunStep,
  fits: (request: SeenRequest) => boolean,
  act: (scene: Scene) => Promise<void>,
): OtherFault => ({
  name,
  step,
  async strike(scene, struck) {
    const { s3 } = scene.cluster;
    await orEnded(s3.answered(fits), scene.ended);
    struck();
    await act(scene);
    await orEnded(s3.answered(fits), scene.ended);
  },
});

const toDataWorker = async (scene: Scene, name: NodeJS.Signals): Promise<void> => {
  kill(await until(scene.ended, 'a data worker', () => scene.cluster.data.pid), name);
};
const toPredictor = async (scene: Scene, name: NodeJS.Signals): Promise<void> => {
  kill((await supervised(scene, 'predictor.js')).pid, name);
};

/** Waits until the data worker has begun to fetch. */
async function aDownload({ cluster, ended }: Scene): Promise<void> {
  await until(ended, 'a download', () => {
    const directory = cluster.data.seenDirectory;
    const folder = `${directory}/${cluster.configuration.dataset.downloads}`;
    return directory !== null && existsSync(folder) && readdirSync(folder).length > 0 ? true : null;
  });
}

/** In their order. */
export const otherFaults: readonly OtherFault[] = [
  ...(hasNamespace
    ? [
        {
          name: 'disk of the data worker full for 3 s while it fetches and extracts',
          step: 'dataset' as const,
          async strike(scene: Scene, struck: () => void) {
            await aDownload(scene);
            struck();
            const room = fillDisk(scene.cluster.data.seenDirectory ?? '');
            await sleep(3000);
            room();
          },
        },
      ]
    : []),
  {
    name: 'data worker killed while it fetches and extracts',
    step: 'dataset',
    async strike(scene, struck) {
      const { cluster, ended } = scene;
      await aDownload(scene);
      struck();
      await toDataWorker(scene, 'SIGKILL');
      await orEnded(cluster.s3.answered(puts('/datasets/')), ended);
    },
  },
  when('SIGTERM to the data worker while it packs', 'dataset', puts('/datasets/'), (scene) =>
    toDataWorker(scene, 'SIGTERM'),
  ),
  when('SIGKILL to a predictor', 'predictions', puts(predictions), (scene) => toPredictor(scene, 'SIGKILL')),
  when('SIGTERM to a predictor', 'predictions', puts(predictions), (scene) => toPredictor(scene, 'SIGTERM')),
  when('GPU worker killed while it predicts', 'predictions', puts(predictions), async (scene) => {
    const { node } = await supervised(scene, 'predictor.js');
    kill(node.worker.pid ?? 0, 'SIGKILL');
  }),
  when(
    'S3 answers 503 for 3 s while the test set is predicted',
    'evaluation',
    puts(evaluation),
    async ({ cluster }) => {
      cluster.s3.treat(() => ({ kind: 'refuse' }));
      await sleep(3000);
      cluster.s3.treat(null);
    },
  ),
  when('SIGKILL to a predictor of the test set', 'evaluation', puts(evaluation), (scene) =>
    toPredictor(scene, 'SIGKILL'),
  ),
];
