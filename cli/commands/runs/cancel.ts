import { steeringCommand } from '../../runs/steeringCommand.js';

export const command = steeringCommand('cancel', {
  example: 'resume goes on with it',
});
