export { type GuardedProcess, startGuarded } from './guarded.js';
export { type ObjectStoreService, startObjectStore } from './objectStore.js';
export { choosePorts, isPortFree, loopback } from './ports.js';
export { startTemporal, type TemporalService } from './temporal.js';
