import type { CommandBody, GlobalOptions } from '../../command.js';

interface DoctorArguments extends GlobalOptions {}

export const command: CommandBody<DoctorArguments> = {
  builder: (yargs) => yargs.example('$0 doctor', 'Versions, TensorFlow, servers, disk, memory, GPU, ports'),
  handler: async ({ json }) => {
    const { doctor } = await import('../../machine/doctor.js');
    process.exitCode = await doctor({ json });
  },
};
