import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('retry', {
  describe: 'Try at once what failed, without waiting for its next attempt',
  example: 'The bucket is back: do not wait out the back-off',
  epilogue: 'A run that has failed is started again: as resume does.',
});
