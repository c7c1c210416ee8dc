import { textRecord } from '../../checkpoints/events/eventRecords.js';
import { hparamsRecord } from '../../checkpoints/events/pluginRecords.js';
import { trainingStages, type RunConfiguration } from '../../configs/schema/run.js';
import { keys } from '../../storage/keys.js';
import { ObjectNotFound, type ObjectStore } from '../../storage/types.js';
import { madeEvents, type MadeEvents } from './evaluationEvents.js';

type Settings = Record<string, string | number | boolean | null>;

/** What TensorBoard shows of a run's configuration: its text, and what runs are compared by. Null before it is stored. */
export async function configurationEvents(
  store: ObjectStore,
  run: string,
  now: () => number = () => Date.now() / 1000,
): Promise<MadeEvents | null> {
  let text: string;
  try {
    text = Buffer.from((await store.get(keys.runConfiguration(run))).body).toString('utf8');
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return null;
    throw cause;
  }
  const configuration = JSON.parse(text) as RunConfiguration;
  const time = now();
  const shown = `\`\`\`json\n${JSON.stringify(configuration, null, 2)}\n\`\`\``;
  return madeEvents('configuration', text, time, [
    textRecord(time, 0, 'configuration', shown),
    hparamsRecord(time, run, hyperParameters(configuration)),
  ]);
}

/** What runs differ by most: of networks, data and stages. Configurations of earlier versions may lack some. */
function hyperParameters({ seed, precision, viewKind, dataset, model, training }: RunConfiguration): Settings {
  const settings: Settings = {
    seed,
    precision,
    viewKind,
    dataset: dataset.name,
    'coarse.gridSide': model.coarse.gridSide,
    'refinement.gridSide': model.refinement.gridSide,
  };
  for (const stage of trainingStages) {
    const { iterations, batchSize, learningRate, schedule, weightDecay, losses } = training[stage];
    settings[`${stage}.iterations`] = iterations;
    settings[`${stage}.batchSize`] = batchSize;
    settings[`${stage}.learningRate`] = learningRate;
    settings[`${stage}.schedule`] = schedule.kind;
    settings[`${stage}.weightDecay`] = weightDecay;
    settings[`${stage}.losses.points`] = losses.points;
    settings[`${stage}.losses.pointsToSurface`] = losses.pointsToSurface;
    settings[`${stage}.losses.edges`] = losses.edges;
  }
  return settings;
}
