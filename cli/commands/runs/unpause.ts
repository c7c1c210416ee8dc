import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('unpause', {
  example: 'The same as resume',
});
