import fc, { type Arbitrary } from 'fast-check';
import { damaged, jsonLike } from './bytes.js';
import { asBytes } from './lines.js';

const object = (key: string) => ({ key, size: 3, sha256: 'a'.repeat(64) });
const frame = (n: number) => ({
  id: { subject: 's', sequence: 'q', frame: `${n}` },
  images: object(`images/s/q/${n}.tar`),
  scan: object(`scans/s/q/q.${n}.npy`),
  registration: null,
});
export const datasetIndexes = asBytes(
  jsonLike({
    version: 2,
    name: 'heads',
    storedResizeFactor: 4,
    imageExtension: 'png',
    vertexCount: 5,
    template: object('template.obj'),
    vertexMasks: null,
    unusable: [{ split: 'train', id: { subject: 's', sequence: 'q', frame: '3' }, reason: 'none' }],
    calibrations: { 's/q': [object('calibrations/s/q/a.tka'), object('calibrations/s/q/b.tka')] },
    splits: {
      train: [frame(1), { ...frame(2), calibrations: ['calibrations/s/q/a.tka'] }],
      validation: [],
      test: [frame(4)],
    },
  }),
);

export const manifests = asBytes(
  jsonLike({
    version: 1,
    run: 'r',
    stage: 'coarse',
    revision: 3,
    lease: { attempt: 'a-1', claimedAt: '2026-11-29T16:00:00.000Z' },
    checkpoints: [
      {
        step: 5,
        stage: 'coarse-pretraining',
        attempt: 'a-1',
        key: 'runs/r/coarse/checkpoints/00000005-a-1',
        createdAt: '2026-11-29T16:00:00.000Z',
        parts: { 'model.safetensors': { size: 3, sha256: 'b'.repeat(64) } },
        milestone: false,
      },
    ],
    finished: {},
    quarantined: [],
    events: [{ key: 'runs/r/coarse/events/events.out.tfevents.0000000000.a-1', from: 0, to: 5 }],
  }),
);

/** A header of tensors that may overlap or lie outside. */
export const safetensorsFiles: Arbitrary<Buffer> = damaged(
  fc
    .tuple(
      jsonLike({
        __metadata__: { layout: 'x' },
        a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
        b: { dtype: 'I32', shape: [], data_offsets: [16, 20] },
      }),
      fc.constantFrom(0, 0, 0, 1, -1, 2 ** 40),
      fc.constantFrom(20, 20, 20, 0, 19, 24),
    )
    .map(([json, off, size]) => {
      const header = Buffer.from(json);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(Math.max(0, header.length + off)));
      return Buffer.concat([length, header, Buffer.alloc(size, 1)]);
    }),
);
