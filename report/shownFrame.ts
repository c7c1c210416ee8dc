import type { FrameId } from '../datasets/types.js';

/** A head of a frame, as one method has it. */
export interface ShownHead {
  readonly name: string;
  /** `[L, 3]`, mm. */
  readonly vertices: Float32Array;
  /** `[L]`, mm: of the scan points near each vertex, NaN where there are none; null: not measured. */
  readonly errors: Float32Array | null;
}

/** A frame that the report shows. */
export interface ShownFrame extends FrameId {
  /** Its name, and why it is shown. */
  readonly title: string;
  readonly pictures: readonly { readonly caption: string; readonly png: Uint8Array }[];
  readonly heads: readonly ShownHead[];
  /** Turns the world so that the face looks at the reader: a unit quaternion (x, y, z, w). */
  readonly front: readonly [number, number, number, number];
}
