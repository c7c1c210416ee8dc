import type { StageConfiguration } from '../../configs/schema/training.js';
import { findClosestPoints } from '../../geometry/closestPoint.js';
import type { Mesh } from '../../geometry/mesh.js';
import { uniqueEdges } from '../../geometry/topology.js';
import { buildTriangleTree, refitTriangleTree } from '../../geometry/triangleTree.js';
import { hostLoss, type Tensor } from '../../tensor/index.js';
import type { VertexRegions } from '../../datasets/vertexRegions.js';
import { edgeWeights, pointWeights } from './regionWeights.js';
import { edgeLoss } from './edgeLoss.js';
import { pointLoss, type LossWithGradient } from './pointLoss.js';
import { pointToSurfaceLoss } from './pointToSurfaceLoss.js';

/** What is logged of a step. The three losses are weighted, so that they add up to the total. */
export interface LossTerms {
  readonly total: number;
  readonly points: number;
  readonly pointsToSurface: number;
  readonly edges: number;
  /** Mean unsigned distance of the scan points to the surface, mm; NaN where it was not computed. */
  readonly pointsToSurfaceDistance: number;
}

/** What a batch's prediction is held against. */
export interface LossTargets {
  /** Registrations, `[B, L, 3]`, mm. */
  readonly registrations: Float32Array;
  /** `[B]` of `[n, 3]`, mm. */
  readonly scanPoints: readonly Float32Array[];
  /** `[B]` of `[n]`: recorded closest triangles; left out, they are searched. */
  readonly faceIndices?: readonly ArrayLike<number>[];
}

export interface LossOptions {
  /** Also measures the point-to-surface distance when that loss has no weight (validation, pictures). */
  readonly measureDistance?: boolean;
}

export type LossSettings = Pick<StageConfiguration, 'losses' | 'pointRegionWeights' | 'edgeRegionWeights'>;

/**
 * The stage's loss (method 4): points, point-to-surface, edges, weighted.
 *
 * It is computed on the host, with gradients in closed form: the closest triangles need the prediction there anyway,
 * and the rest is a few milliseconds. The prediction is read back once, and its gradient sent once.
 */
export class TrainingLoss {
  private readonly vertexCount: number;
  private readonly edges: Uint32Array;
  private readonly pointWeights: Float32Array;
  private readonly edgeWeights: Float32Array;
  private readonly tree;

  /**
   * @param template the topology, with vertices of a typical head, mm.
   * @throws RangeError when the regions name vertices that the template does not have.
   */
  constructor(
    private readonly template: Mesh,
    regions: VertexRegions,
    private readonly settings: LossSettings,
  ) {
    this.vertexCount = template.vertices.length / 3;
    this.edges = uniqueEdges(template.faces);
    this.pointWeights = pointWeights(regions, settings.pointRegionWeights, this.vertexCount);
    this.edgeWeights = edgeWeights(regions, settings.edgeRegionWeights, this.edges, this.vertexCount);
    this.tree = buildTriangleTree(template);
  }

  /**
   * The loss as a differentiable number, for use inside `valueAndGradients`.
   *
   * @param prediction `[B, L, 3]`, mm.
   * @returns `loss` `[]`, the current scope's, and the terms. A prediction that is not finite has a loss of NaN and no
   *   gradient: check `terms.total`.
   */
  differentiable(
    prediction: Tensor,
    targets: LossTargets,
    options: LossOptions = {},
  ): { readonly loss: Tensor; readonly terms: LossTerms } {
    let terms: LossTerms | undefined;
    const loss = hostLoss(prediction, (values) => {
      const evaluated = this.evaluate(values, targets, options);
      terms = evaluated.terms;
      return { loss: evaluated.terms.total, gradient: evaluated.gradient };
    });
    return { loss, terms: terms! };
  }

  /**
   * The loss and its gradient on the host.
   *
   * @param prediction `[B, L, 3]`, mm.
   * @returns the gradient by the prediction; the caller's.
   * @throws RangeError when shapes do not fit, or a scan point is not finite.
   */
  evaluate(
    prediction: Float32Array,
    targets: LossTargets,
    options: LossOptions = {},
  ): { readonly terms: LossTerms; readonly gradient: Float32Array } {
    this.checkShapes(prediction, targets);
    const gradient = new Float32Array(prediction.length);
    if (!prediction.every(Number.isFinite)) {
      const terms = { total: NaN, points: NaN, pointsToSurface: NaN, edges: NaN, pointsToSurfaceDistance: NaN };
      return { terms, gradient };
    }
    const { losses: weights } = this.settings;
    const { registrations } = targets;
    const weighted = (weight: number, evaluate: () => LossWithGradient): number => {
      if (weight === 0) return 0;
      const term = evaluate();
      for (let i = 0; i < gradient.length; i++) gradient[i]! += weight * term.gradient[i]!;
      return weight * term.loss;
    };
    const points = weighted(weights.points, () => pointLoss(prediction, registrations, this.pointWeights));
    const edges = weighted(weights.edges, () =>
      edgeLoss(prediction, registrations, this.edges, this.edgeWeights, this.vertexCount),
    );
    let pointsToSurface = 0;
    let pointsToSurfaceDistance = NaN;
    if (weights.pointsToSurface > 0 || options.measureDistance === true) {
      const found = this.closestFaces(prediction, targets);
      pointsToSurfaceDistance = found.meanDistance;
      pointsToSurface = weighted(weights.pointsToSurface, () =>
        this.pointToSurface(prediction, targets, found.faceIndices),
      );
    }
    return {
      terms: { total: points + pointsToSurface + edges, points, pointsToSurface, edges, pointsToSurfaceDistance },
      gradient,
    };
  }

  private sample(values: Float32Array, index: number): Float32Array {
    return values.subarray(3 * this.vertexCount * index, 3 * this.vertexCount * (index + 1));
  }

  /** Mean over points, then over the batch. */
  private pointToSurface(
    prediction: Float32Array,
    { scanPoints }: LossTargets,
    faceIndices: readonly ArrayLike<number>[],
  ): LossWithGradient {
    const gradient = new Float32Array(prediction.length);
    let loss = 0;
    for (const [index, points] of scanPoints.entries()) {
      const vertices = this.sample(prediction, index);
      const faces = faceIndices[index]!;
      const sigma = this.settings.losses.gemanMcClureSigma;
      const term = pointToSurfaceLoss(vertices, this.template.faces, points, faces, sigma);
      loss += term.loss / scanPoints.length;
      const part = this.sample(gradient, index);
      for (let i = 0; i < part.length; i++) part[i] = term.gradient[i]! / scanPoints.length;
    }
    return { loss, gradient };
  }

  private closestFaces(
    prediction: Float32Array,
    targets: LossTargets,
  ): { readonly faceIndices: readonly ArrayLike<number>[]; readonly meanDistance: number } {
    const { scanPoints } = targets;
    const faceIndices: ArrayLike<number>[] = [];
    let meanDistance = 0;
    for (const [index, points] of scanPoints.entries()) {
      refitTriangleTree(this.tree, this.sample(prediction, index));
      const found = findClosestPoints(this.tree, points);
      faceIndices.push(targets.faceIndices?.[index] ?? found.faceIndices);
      let sum = 0;
      for (const distance of found.distances) sum += distance;
      meanDistance += sum / found.distances.length / scanPoints.length;
    }
    return { faceIndices, meanDistance };
  }

  private checkShapes(prediction: Float32Array, targets: LossTargets): void {
    const expected = targets.scanPoints.length * this.vertexCount * 3;
    if (prediction.length === expected && targets.registrations.length === expected) return;
    throw new RangeError(
      `losses: a prediction of ${prediction.length} and registrations of ${targets.registrations.length} numbers; ` +
        `expected ${expected}: ${targets.scanPoints.length} samples of ${this.vertexCount} vertices`,
    );
  }
}
