import { smallMiniature } from '../support/tiny/smallMiniature.js';

/** What chaos trains on: few heads, for runs whose weights are compared, not used. */
export const chaosMiniature = smallMiniature({
  subjects: { train: 6, validation: 1, test: 3 },
  framesPerSequence: { train: 5, validation: 2, test: 5 },
});
