import type { CommandBody, GlobalOptions } from '../../command.js';

export const command: CommandBody<GlobalOptions> = {
  builder: (yargs) => yargs.example('$0 doctor', 'Versions, TensorFlow, servers, disk, memory, GPU, ports'),
  handler: async ({ json }) => {
    const { doctor } = await import('../../machine/doctor.js');
    process.exitCode = await doctor({ json });
  },
};
