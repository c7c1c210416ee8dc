import { disposeState } from '../../model/index.js';
import { RecordedStep } from '../../training/loop/recordedStep.js';
import { trainingStep } from '../../training/loop/trainingStep.js';
import { TrainingLoss } from '../../training/losses/trainingLoss.js';
import { coarseNetwork } from '../../training/networks/coarseNetwork.js';
import { refinementNetwork } from '../../training/networks/refinementNetwork.js';
import { AdamW } from '../../training/optimisation/optimizer.js';
import { modelStateFrom } from '../../training/process/stateArrays.js';
import type { LossCurve, ParityPlan } from './parityFiles.js';

/** Our own losses over a plan's steps, through what the trainer steps with. */
export async function ourCurve(plan: ParityPlan, report: (step: number) => void): Promise<LossCurve> {
  const { stage, configuration, settings, data, batches, layouts, initial } = plan;
  const { seed, model } = configuration;
  const options = { state: modelStateFrom(layouts, initial, 'parity'), seed, randomGridRotations: true };
  const network =
    stage === 'coarse'
      ? coarseNetwork(model.coarse, options)
      : refinementNetwork(model.refinement, data.template, options);
  const optimizer = new AdamW(network.state.parameters, { weightDecay: settings[0]!.weightDecay });
  const step = new RecordedStep(network, optimizer, null);
  const losses = new Map<object, TrainingLoss>();
  const curve: [number, number, number, number][] = [];
  try {
    for (const [at, batch] of batches.entries()) {
      const of = settings[at]!;
      const loss = losses.get(of) ?? new TrainingLoss(data.template, data.regions, of);
      losses.set(of, loss);
      const stepOptions = { step, loss, optimizer, stage: of, measureDistance: false, keepPrediction: false };
      const { applied, terms } = await trainingStep(batch, stepOptions);
      if (!applied) throw new Error(`parity, ${stage}, step ${at}: the loss is ${terms.total}`);
      curve.push([terms.total, terms.points, terms.pointsToSurface, terms.edges]);
      report(at + 1);
    }
    return curve;
  } finally {
    step.dispose();
    optimizer.dispose();
    disposeState(network.state);
    for (const loss of losses.values()) await loss.close();
  }
}
