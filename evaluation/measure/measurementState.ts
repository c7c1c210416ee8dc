import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { StoredObjectInvalid } from '../../storage/storedJson.js';
import type { JitterState } from '../errors/jitter.js';
import type { ErrorPartState } from '../errors/errorParts.js';
import type { ErrorState } from '../errors/errorStatistics.js';
import type { Measurement } from './types.js';

/** Raised where measurements change: what earlier versions measured is measured again. */
export const measurementVersion = 1;

/** Errors of one sequence, which may go on in the next shard. */
export interface SequenceState {
  readonly subject: string;
  readonly sequence: string;
  readonly frames: number;
  readonly errors: readonly (readonly [string, ErrorState])[];
}

type ByMethodState = readonly (readonly [string, ErrorState])[];

/** All that was measured of some frames: of shards in their order it makes a measurement. JSON keeps every bit of it. */
export interface MeasurementState {
  readonly version: number;
  /** Frames with figures. */
  readonly frames: number;
  readonly points: number;
  readonly farPoints: number;
  readonly whole: ByMethodState;
  readonly vertices: ByMethodState;
  readonly alignedSurface: ByMethodState;
  readonly alignedVertices: ByMethodState;
  readonly regions: readonly (readonly [string, ByMethodState])[];
  readonly parts: ErrorPartState;
  readonly jitter: JitterState;
  /** null where there are not two. */
  readonly firstSequence: SequenceState | null;
  /** Those between, which are whole. */
  readonly sequences: Measurement['sequences'];
  /** null where no frame has figures. */
  readonly lastSequence: SequenceState | null;
  readonly perFrame: Measurement['perFrame'];
  readonly leftOut: Measurement['leftOut'];
}

const whole = z.int().min(0);
const errors = z.object({
  count: whole,
  sum: z.number(),
  sumOfSquares: z.number(),
  largest: z.number(),
  smallest: z.number().nullable(),
  bins: z.string(),
});
const byMethod = z.array(z.tuple([z.string(), errors]));
const summary = z.object({
  count: whole,
  mean: z.number(),
  median: z.number(),
  standardDeviation: z.number(),
  largest: z.number(),
  percentiles: z.record(z.string(), z.number()),
});
const ofSequence = { subject: z.string(), sequence: z.string() };
const sequenceState = z.object({ ...ofSequence, frames: whole, errors: byMethod }).nullable();
const frameId = { ...ofSequence, frame: z.string() };
const measured = { method: z.string(), pointToSurface: summary };
const stateSchema: z.ZodType<MeasurementState> = z.object({
  version: z.literal(measurementVersion),
  ...{ frames: whole, points: whole, farPoints: whole },
  ...{ whole: byMethod, vertices: byMethod, alignedSurface: byMethod, alignedVertices: byMethod },
  regions: z.array(z.tuple([z.string(), byMethod])),
  parts: z.object({
    vertexCount: whole,
    subjects: z.array(
      z.object({
        ...{ subject: z.string(), frames: whole, truth: z.string(), truthSquares: z.number() },
        methods: z.array(
          z.object({
            ...{ method: z.string(), residual: z.string() },
            ...{ residualSquares: z.number(), errorSquares: z.number() },
          }),
        ),
      }),
    ),
  }),
  jitter: z.array(z.tuple([z.string(), z.number(), whole])),
  firstSequence: sequenceState,
  sequences: z.array(z.object({ ...ofSequence, frames: whole, ...measured })),
  lastSequence: sequenceState,
  perFrame: z.array(z.object({ ...frameId, ...measured })),
  leftOut: z.array(z.object({ id: z.object(frameId), reason: z.string() })),
});

/** A state as it is stored: compressed JSON. */
export function packState(state: MeasurementState): Promise<Uint8Array> {
  return promisify(gzip)(JSON.stringify(state));
}

/** @param key for messages. @throws StoredObjectInvalid */
export async function unpackState(bytes: Uint8Array, key: string): Promise<MeasurementState> {
  const todo = 'Delete it: its frames are measured again';
  try {
    const text = (await promisify(gunzip)(bytes, { maxOutputLength: 2 ** 29 })).toString('utf8');
    const parsed = stateSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new StoredObjectInvalid(key, z.core.toDotPath(issue?.path ?? []), issue?.message ?? '', todo);
  } catch (cause) {
    if (cause instanceof StoredObjectInvalid) throw cause;
    throw new StoredObjectInvalid(key, '', (cause as Error).message, todo, { cause });
  }
}
