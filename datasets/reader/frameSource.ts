import type { Mesh } from '../../geometry/mesh/mesh.js';
import type { EncodedView } from '../images/decodeView.js';
import type { FrameId, Split } from '../types.js';
import type { VertexRegions } from '../vertexRegions.js';

/** A file of a frame, whole, as it is stored. */
export interface EncodedFile {
  readonly bytes: Uint8Array;
  /** Its path or key, for error messages. */
  readonly file: string;
}

/** A frame as it is stored, nothing decoded but the calibrations. */
export interface EncodedFrame {
  /** Views whose image exists, in sorted order of name. */
  readonly views: readonly EncodedView[];
  readonly scan: EncodedFile | null;
  readonly registration: EncodedFile | null;
}

/** Where frames come from: a packed data set in an object store, or a folder in FaMoS layout. */
export interface FrameSource {
  /** Human-readable. No credential. */
  readonly description: string;
  /** Frames of a split. */
  count(split: Split): number;
  /** Frames by their places in the split's list, `to` excluded. */
  range(split: Split, from: number, to: number): Promise<readonly FrameId[]>;
  /** In mm. */
  readonly template: Mesh;
  readonly regions: VertexRegions;
  /** @throws FrameUnreadable */
  load(split: Split, id: FrameId): Promise<EncodedFrame>;
  /** Bytes that came over the network so far. */
  bytesRead(): number;
}
