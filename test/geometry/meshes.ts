import type { Mesh } from '../../geometry/mesh/mesh.js';
import { counterRandom } from '../../geometry/random.js';

/** A bumpy closed surface of about `side`² · 2 triangles and 200 mm height, poles left open. */
export function bumpyMesh(side: number, noise = 0): Mesh {
  const random = counterRandom(side, 'bumpy mesh');
  const vertices: number[] = [];
  const faces: number[] = [];
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const polar = (Math.PI * (i + 0.5)) / side;
      const azimuth = (2 * Math.PI * j) / side;
      const radius = 100 * (1 + 0.15 * Math.sin(5 * polar) * Math.cos(4 * azimuth)) + noise * random.gaussian();
      vertices.push(
        radius * Math.sin(polar) * Math.cos(azimuth),
        radius * Math.cos(polar),
        radius * Math.sin(polar) * Math.sin(azimuth),
      );
      if (i === side - 1) continue;
      const [a, b] = [i * side + j, i * side + ((j + 1) % side)];
      faces.push(a, b, a + side, b, b + side, a + side);
    }
  }
  return { vertices: Float32Array.from(vertices), faces: Uint32Array.from(faces) };
}

/** The unit cube's 12 triangles, outward. */
export const cube: Mesh = {
  vertices: Float32Array.from([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1]),
  faces: Uint32Array.from(
    [
      [0, 2, 1, 1, 2, 3],
      [4, 5, 6, 5, 7, 6],
      [0, 1, 4, 1, 5, 4],
      [2, 6, 3, 3, 6, 7],
      [0, 4, 2, 2, 4, 6],
      [1, 3, 5, 3, 7, 5],
    ].flat(),
  ),
};
