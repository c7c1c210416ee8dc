import type { StageConfiguration } from '../../configs/schema/training.js';
import type { Mesh } from '../../geometry/mesh/mesh.js';
import { uniqueEdges } from '../../geometry/mesh/topology.js';
import { hostLoss, type Tensor } from '../../tensor/index.js';
import type { VertexRegions } from '../../datasets/vertexRegions.js';
import { edgeWeights, pointWeights } from './regionWeights.js';
import { addEdgeLoss } from './edgeLoss.js';
import { addPointLoss } from './pointLoss.js';
import { pointToSurfaceLoss } from './pointToSurfaceLoss.js';
import { SurfaceSearch } from './surface/surfaceSearch.js';

/** What is logged of a step. The three losses are weighted, so that they add up to the total. */
export interface LossTerms {
  readonly total: number;
  readonly points: number;
  readonly pointsToSurface: number;
  readonly edges: number;
  /** Mean unsigned distance of the scan points to the surface, mm; NaN where it was not computed. */
  readonly pointsToSurfaceDistance: number;
}

/** What a batch's prediction is compared with. */
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
  private readonly surface: SurfaceSearch;
  private edgeSums = new Float64Array(0);

  /**
   * @param template the topology, with vertices of a typical head, mm.
   * @param threads of this process that search for closest points; results do not depend on them. Left out: as many as
   *   the machine has cores, up to eight.
   * @throws RangeError when the regions name vertices that the template does not have.
   */
  constructor(
    private readonly template: Mesh,
    regions: VertexRegions,
    private readonly settings: LossSettings,
    threads?: number,
  ) {
    this.vertexCount = template.vertices.length / 3;
    this.edges = uniqueEdges(template.faces);
    this.pointWeights = pointWeights(regions, settings.pointRegionWeights, this.vertexCount);
    this.edgeWeights = edgeWeights(regions, settings.edgeRegionWeights, this.edges, this.vertexCount);
    this.surface = new SurfaceSearch(template, settings.losses.gemanMcClureSigma, threads);
  }

  /** Ends its threads. */
  close(): Promise<void> {
    return this.surface.close();
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
    if (!areFinite(prediction)) {
      const terms = { total: NaN, points: NaN, pointsToSurface: NaN, edges: NaN, pointsToSurfaceDistance: NaN };
      return { terms, gradient };
    }
    const { losses: weights } = this.settings;
    const { registrations } = targets;
    const points =
      weights.points === 0
        ? 0
        : weights.points * addPointLoss(prediction, registrations, this.pointWeights, weights.points, gradient);
    const edges = weights.edges === 0 ? 0 : weights.edges * this.addEdges(prediction, registrations, gradient);
    const isSearched = weights.pointsToSurface > 0 || options.measureDistance === true;
    const { loss, meanDistance } = isSearched
      ? this.addPointToSurface(prediction, targets, gradient)
      : { loss: 0, meanDistance: NaN };
    const pointsToSurface = weights.pointsToSurface === 0 ? 0 : weights.pointsToSurface * loss;
    const total = points + pointsToSurface + edges;
    return { terms: { total, points, pointsToSurface, edges, pointsToSurfaceDistance: meanDistance }, gradient };
  }

  private addEdges(prediction: Float32Array, registrations: Float32Array, gradient: Float32Array): number {
    if (this.edgeSums.length !== prediction.length) this.edgeSums = new Float64Array(prediction.length);
    const { edges, edgeWeights, vertexCount, edgeSums, settings } = this;
    const factor = settings.losses.edges;
    return addEdgeLoss(prediction, registrations, edges, edgeWeights, vertexCount, factor, gradient, edgeSums);
  }

  /** Mean over points, then over the batch; the gradient is added, times the loss's weight. */
  private addPointToSurface(
    prediction: Float32Array,
    { scanPoints, faceIndices }: LossTargets,
    gradient: Float32Array,
  ): { readonly loss: number; readonly meanDistance: number } {
    const { pointsToSurface: weight, gemanMcClureSigma: sigma } = this.settings.losses;
    if (weight > 0 && scanPoints.some((points) => points.length === 0)) {
      throw new RangeError('point-to-surface loss: a sample of the batch has no scan points');
    }
    const found = this.surface.run(prediction, scanPoints, weight > 0);
    const batch = scanPoints.length;
    let loss = 0;
    let meanDistance = 0;
    for (const [index, { sums, ...shared }] of found.entries()) {
      const points = scanPoints[index]!;
      meanDistance += sums[1]! / (points.length / 3) / batch;
      if (weight === 0) continue;
      const recorded = faceIndices?.[index];
      const own = recorded && pointToSurfaceLoss(shared.vertices, this.template.faces, points, recorded, sigma);
      const term = own ?? { loss: sums[0]!, gradient: shared.gradient };
      loss += term.loss / batch;
      const first = 3 * this.vertexCount * index;
      for (let i = 0; i < shared.vertices.length; i++) {
        gradient[first + i]! += weight * Math.fround(Math.fround(term.gradient[i]!) / batch);
      }
    }
    return { loss, meanDistance };
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

function areFinite(values: Float32Array): boolean {
  // Stays 0 as long as all are.
  let check = 0;
  for (let i = 0; i < values.length; i++) check += 0 * values[i]!;
  return check === 0;
}
