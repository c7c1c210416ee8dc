import type { CommandBody, GlobalOptions } from '../../command.js';

interface DoctorArguments extends GlobalOptions {
  json: boolean;
}

export const command: CommandBody<DoctorArguments> = {
  builder: (yargs) =>
    yargs
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .example('$0 doctor', 'Versions, TensorFlow, servers, disk, memory, GPU, ports'),
  handler: async ({ json }) => {
    const { doctor } = await import('../../machine/doctor.js');
    process.exitCode = await doctor({ json });
  },
};
