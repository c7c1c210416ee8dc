import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('pause', {
  example: 'What trains saves; the GPU is free',
});
