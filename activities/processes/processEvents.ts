import type { PredictorEvent } from '../../inference/protocol.js';
import type { TrainerEvent } from '../../training/process/protocol.js';

type Shape = Readonly<Record<string, 'string' | 'number' | 'object'>>;

const trainerShapes: Readonly<Record<TrainerEvent['kind'], Shape>> = {
  starting: { message: 'string' },
  progress: { progress: 'object' },
  checkpoint: { checkpoint: 'object' },
  note: { message: 'string' },
  warning: { message: 'string' },
  waiting: { message: 'string' },
  finished: { result: 'object' },
  stopped: { step: 'number' },
  failed: { fault: 'string', message: 'string' },
};

const predictorShapes: Readonly<Record<PredictorEvent['kind'], Shape>> = {
  starting: { message: 'string' },
  progress: { progress: 'object' },
  warning: { message: 'string' },
  waiting: { message: 'string' },
  finished: { result: 'object' },
  stopped: {},
  failed: { fault: 'string', message: 'string' },
};

/** A message of the trainer, if it is one: what is not is no proof of progress. */
export function readTrainerEvent(message: unknown): TrainerEvent | undefined {
  return hasShape(message, trainerShapes) ? (message as TrainerEvent) : undefined;
}

/** As `readTrainerEvent`, of the predictor. */
export function readPredictorEvent<Result>(message: unknown): PredictorEvent<Result> | undefined {
  return hasShape(message, predictorShapes) ? (message as PredictorEvent<Result>) : undefined;
}

function hasShape(message: unknown, shapes: Readonly<Record<string, Shape>>): boolean {
  if (typeof message !== 'object' || message === null) return false;
  const fields = message as Record<string, unknown>;
  const { kind } = fields;
  if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) return false;
  return Object.entries(shapes[kind] ?? {}).every(
    ([name, type]) => typeof fields[name] === type && fields[name] !== null,
  );
}
