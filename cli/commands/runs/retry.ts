import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('retry', {
  example: 'The bucket is back: do not wait out the back-off',
  epilogue: 'A run that has failed is started again: as resume does.',
});
