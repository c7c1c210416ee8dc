import { methodNames, type Evaluation } from './types.js';

/**
 * Warnings that the user of a run must not overlook: a model that learnt nothing of use, frames without figures.
 */
export function evaluationWarnings({
  frames,
  methods,
  leftOut,
}: Pick<Evaluation, 'frames' | 'methods' | 'leftOut'>): string[] {
  const meanOf = (name: string): number | undefined => {
    return methods.find(({ method }) => method === name)?.pointToSurface.mean;
  };
  const { meanHeadPosed, meanHeadLocalised, meanHeadCentred } = methodNames;
  const name = [meanHeadPosed, meanHeadLocalised, meanHeadCentred].find((each) => meanOf(each) !== undefined);
  const meanHead = name === undefined ? undefined : meanOf(name);
  const worse = [methodNames.coarse, methodNames.refinement].flatMap((model) => {
    const found = meanOf(model);
    if (found === undefined || meanHead === undefined || found <= meanHead) return [];
    return [
      `The ${model} model is worse (${found.toFixed(2)} mm) than the ${name} (${meanHead.toFixed(2)} mm), and has learnt nothing of use.`,
    ];
  });
  const first = leftOut[0];
  const left =
    first === undefined
      ? []
      : [`${leftOut.length} of ${frames + leftOut.length} test frames have no figures, the first: ${first.reason}.`];
  return [...worse, ...left];
}
