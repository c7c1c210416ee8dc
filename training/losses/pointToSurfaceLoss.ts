import { writePlaneBarycentric } from '../../geometry/closestPoint/triangleDistance.js';
import type { LossWithGradient } from './pointLoss.js';

/**
 * Point-to-surface loss of one sample (method 4): for every scan point the squared distance d² to its projection
 * on the plane of its closest triangle, by barycentric coordinates that are not clamped; Geman–McClure
 * ρ = sqrt(σ² d² / (σ² + d²) + 1e-16); mean over points.
 *
 * The gradient takes the barycentric coordinates as constants: their derivatives move the projection within the plane,
 * to which the residual is orthogonal, so they contribute nothing.
 *
 * @param vertices `[L, 3]`, mm. @param faces `[F, 3]`. @param scanPoints `[n, 3]`, mm.
 * @param faceIndices `[n]` closest triangle of each point, from `findClosestPoints` (or recorded).
 * @param sigma σ of the Geman–McClure function, mm.
 * @returns the loss and its gradient by `vertices`.
 * @throws RangeError when there are no scan points.
 */
export function pointToSurfaceLoss(
  vertices: Float32Array,
  faces: Uint32Array,
  scanPoints: Float32Array,
  faceIndices: ArrayLike<number>,
  sigma: number,
): LossWithGradient {
  const count = scanPoints.length / 3;
  if (count === 0) throw new RangeError('point-to-surface loss: the sample has no scan points');
  const gradient = new Float64Array(vertices.length);
  const loss = addPointToSurfaceLoss(vertices, faces, scanPoints, count, faceIndices, sigma, gradient);
  return { loss, gradient: Float32Array.from(gradient) };
}

/**
 * The loss of the first `count` scan points, whose gradient is added to what there is. In their order: the sum is the same
 * to the bit wherever it is made.
 *
 * @param gradient `[L, 3]`.
 */
export function addPointToSurfaceLoss(
  vertices: Float32Array,
  faces: Uint32Array,
  scanPoints: Float32Array,
  count: number,
  faceIndices: ArrayLike<number>,
  sigma: number,
  gradient: Float64Array,
): number {
  const corners = new Float32Array(9);
  const barycentric = new Float64Array(3);
  const squaredSigma = sigma * sigma;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const face = 3 * faceIndices[i]!;
    const a = 3 * faces[face]!;
    const b = 3 * faces[face + 1]!;
    const c = 3 * faces[face + 2]!;
    for (let axis = 0; axis < 3; axis++) {
      corners[axis] = vertices[a + axis]!;
      corners[3 + axis] = vertices[b + axis]!;
      corners[6 + axis] = vertices[c + axis]!;
    }
    const x = scanPoints[3 * i]!;
    const y = scanPoints[3 * i + 1]!;
    const z = scanPoints[3 * i + 2]!;
    writePlaneBarycentric(corners, 0, x, y, z, barycentric, 0);
    const weightA = barycentric[0]!;
    const weightB = barycentric[1]!;
    const weightC = barycentric[2]!;
    const dx = x - (weightA * corners[0]! + weightB * corners[3]! + weightC * corners[6]!);
    const dy = y - (weightA * corners[1]! + weightB * corners[4]! + weightC * corners[7]!);
    const dz = z - (weightA * corners[2]! + weightB * corners[5]! + weightC * corners[8]!);
    const squared = dx * dx + dy * dy + dz * dz;
    const denominator = squaredSigma + squared;
    const rho = Math.sqrt((squaredSigma * squared) / denominator + 1e-16);
    sum += rho;
    // dρ/d(d²) = σ⁴ / (σ² + d²)² / (2 ρ), and d(d²)/d(corner) = −2 · weight · residual.
    const slope = -(squaredSigma * squaredSigma) / (denominator * denominator * rho * count);
    gradient[a]! += slope * weightA * dx;
    gradient[a + 1]! += slope * weightA * dy;
    gradient[a + 2]! += slope * weightA * dz;
    gradient[b]! += slope * weightB * dx;
    gradient[b + 1]! += slope * weightB * dy;
    gradient[b + 2]! += slope * weightB * dz;
    gradient[c]! += slope * weightC * dx;
    gradient[c + 1]! += slope * weightC * dy;
    gradient[c + 2]! += slope * weightC * dz;
  }
  return sum / count;
}
