export type { Credentials } from './credentials.js';
export { ServiceError } from './errors.js';
export { type GuardedOptions, type GuardedProcess, startGuarded } from './guarded.js';
export { type ObjectStoreOptions, type ObjectStoreService, startObjectStore } from './objectStore.js';
export { choosePorts, isPortFree, loopback } from './ports.js';
export type { RunningService } from './service.js';
export { startTemporal, tempehSearchAttributes, type TemporalOptions, type TemporalService } from './temporal.js';
