import type { ObjectStore } from '../storage/types.js';
import type { TrainingJob } from './protocol.js';
import type { StageData } from './stageData.js';

export async function openStageData(_job: TrainingJob, _store: ObjectStore): Promise<StageData> {
  throw new Error('The data set cannot be opened yet.');
}
