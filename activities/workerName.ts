import { hostname } from 'node:os';

/** `HOST:PID`: how attempts, reports and warnings name the worker that this process is. */
export const workerName = (): string => `${hostname()}:${process.pid}`;
