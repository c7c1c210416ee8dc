import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('pause', {
  describe: 'Stop a run in an orderly way until it is unpaused',
  example: 'What trains saves; the GPU is free',
});
