import { multiply, reshape, tf, type Tensor, type Tensor2D, type Tensor3D } from '../../tensor/index.js';

/** A cube of voxels: offsets (i − side/2) · spacing for i = 0 … side − 1 on each axis (not symmetric; method 2.2). */
export interface VoxelGrid {
  readonly side: number;
  /** mm */
  readonly spacing: number;
}

/** Offset of the first voxel of a side, mm. */
function firstOffset({ side, spacing }: VoxelGrid): number {
  return -Math.floor(side / 2) * spacing;
}

const constants = new Map<string, Tensor2D>();

/** Offsets of all voxels in homogeneous coordinates, rows x, y, z, 1; a constant that is kept. `[4, N]` */
export function homogeneousOffsets(grid: VoxelGrid): Tensor2D {
  return constant(`h:${grid.side}:${grid.spacing}`, grid, (values, n) => {
    const rows = new Float32Array(4 * n).fill(1, 3 * n);
    for (let i = 0; i < n; i++) for (let axis = 0; axis < 3; axis++) rows[axis * n + i] = values[3 * i + axis]!;
    return tf.tensor2d(rows, [4, n]);
  });
}

/** Offsets of all voxels, mm; a constant that is kept. `[N, 3]` */
export function gridOffsets(grid: VoxelGrid): Tensor2D {
  return constant(`o:${grid.side}:${grid.spacing}`, grid, (values, n) => tf.tensor2d(values, [n, 3]));
}

function constant(key: string, grid: VoxelGrid, make: (offsets: Float32Array, n: number) => Tensor2D): Tensor2D {
  let known = constants.get(key);
  if (known === undefined) {
    const { side, spacing } = grid;
    const offsets = new Float32Array(3 * side ** 3);
    const first = firstOffset(grid);
    for (let voxel = 0; voxel < side ** 3; voxel++) {
      offsets[3 * voxel] = first + Math.floor(voxel / side ** 2) * spacing;
      offsets[3 * voxel + 1] = first + (Math.floor(voxel / side) % side) * spacing;
      offsets[3 * voxel + 2] = first + (voxel % side) * spacing;
    }
    known = tf.keep(make(offsets, side ** 3));
    constants.set(key, known);
  }
  return known;
}

/**
 * How a grid lies in the world: position = linear · offset + centre.
 * Differentiable where the localiser made it.
 */
export interface GridPlacement {
  /** `[B, 3, 3]` */
  readonly linear: Tensor3D;
  /** mm. `[B, 3, 1]` */
  readonly centre: Tensor3D;
}

/** [linear | centre]. `[B, 3, 4]` */
export function placementMatrix({ linear, centre }: GridPlacement): Tensor3D {
  return tf.concat([linear, centre], 2);
}

/** World positions of a placed grid's voxels, mm. `[B, N, 3]`; for tests and pictures: nothing else needs them. */
export function gridPositions(placement: GridPlacement, grid: VoxelGrid): Tensor3D {
  const rows = multiply(placementMatrix(placement), homogeneousOffsets(grid));
  return tf.transpose(rows, [0, 2, 1]) as Tensor3D;
}

/** Applies a placement to offsets. @param offsets `[B, L, 3]` @returns `[B, L, 3]`, world mm */
export function place({ linear, centre }: GridPlacement, offsets: Tensor3D): Tensor3D {
  const [batch] = offsets.shape;
  const rotated: Tensor = multiply(offsets, linear, false, true);
  return tf.add(rotated, reshape<Tensor3D>(centre, [batch, 1, 3]));
}
