import type { DeviceAnswer } from './checkDevices.js';

/** Computes on the device that this process sees, reports how that went, and ends. */
const { tryDevice } = await import('../../training/process/tryDevice.js');
process.send?.(tryDevice() satisfies DeviceAnswer, undefined, undefined, () => process.exit(0));
