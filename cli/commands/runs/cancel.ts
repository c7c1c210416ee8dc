import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('cancel', {
  describe: 'End a run in an orderly way: what trains saves first',
  example: 'resume goes on with it',
});
