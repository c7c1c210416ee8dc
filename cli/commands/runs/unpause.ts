import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('unpause', {
  describe: 'Go on with a paused run',
  example: 'The same as resume',
});
