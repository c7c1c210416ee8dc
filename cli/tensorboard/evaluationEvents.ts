import { hash } from 'node:crypto';
import { scalarRecord, textRecord, versionRecord } from '../../checkpoints/events/eventRecords.js';
import { evaluationLimitBytes, evaluationSchema } from '../../evaluation/evaluationSchema.js';
import type { Evaluation } from '../../evaluation/types.js';
import { keys } from '../../storage/keys.js';
import { readStored } from '../../storage/storedJson.js';
import type { ObjectStore } from '../../storage/types.js';
import { evaluationMarkdown } from '../runs/watching/evaluationTable.js';

/** An event file that is made here, of what the store has of a run. */
export interface MadeEvents {
  /** The same for the same content. */
  readonly name: string;
  readonly body: Buffer;
}

/** @param what the content is, @param content that the name follows from. @param records of the file, behind that of its version. */
export function madeEvents(what: string, content: string, time: number, records: readonly Buffer[]): MadeEvents {
  const digest = hash('sha256', content).slice(0, 12);
  return {
    name: `events.out.tfevents.0000000000.${what}-${digest}`,
    body: Buffer.concat([versionRecord(time), ...records]),
  };
}

/** What TensorBoard shows of a run's evaluation: its table as a text, and each figure as a scalar. Null before there is one. */
export async function evaluationEvents(
  store: ObjectStore,
  run: string,
  now: () => number = () => Date.now() / 1000,
): Promise<MadeEvents | null> {
  const todo = 'Delete it, and start the evaluation again';
  const evaluation = await readStored(store, keys.evaluation(run), {
    schema: evaluationSchema,
    todo,
    limitBytes: evaluationLimitBytes,
  });
  if (evaluation === null) return null;
  const time = now();
  const scalars = scalarsOf(evaluation).map(([tag, value]) => scalarRecord(time, 0, tag, value));
  const table = textRecord(time, 0, 'Test/table', evaluationMarkdown(evaluation));
  return madeEvents('evaluation', JSON.stringify(evaluation), time, [table, ...scalars]);
}

function scalarsOf({ methods }: Evaluation): [string, number][] {
  return methods.flatMap(({ method, pointToSurface, vertices, aligned, parts }) => {
    const figures: Readonly<Record<string, number | null | undefined>> = {
      'point to surface, median': pointToSurface.median,
      'point to surface, mean': pointToSurface.mean,
      'vertices, mean': vertices?.mean,
      'aligned point to surface, mean': aligned?.pointToSurface.mean,
      'aligned vertices, mean': aligned?.vertices.mean,
      pose: parts?.pose,
      identity: parts?.identity,
      expression: parts?.expression,
      'expression explained': parts?.expressionExplained,
    };
    return Object.entries(figures).flatMap(([figure, value]): [string, number][] =>
      typeof value === 'number' ? [[`Test ${figure}/${method}`, value]] : [],
    );
  });
}
