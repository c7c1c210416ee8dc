import { writeFileSync } from 'node:fs';
import { serveParent } from '../../../workers/supervisedProcess.js';

/** A process of a worker's in whose work somebody forgot to wait for a promise. It saves when it is told to stop. */
interface Start {
  readonly kind: 'start';
  /** Written by what ends in order. */
  readonly saved: string;
}

serveParent<Start, { readonly kind: 'starting' | 'stopped' | 'failed'; readonly message?: string }>({
  isStart: (message): message is Start => message.kind === 'start',
  failed: (message) => ({ kind: 'failed', message }),
  graceSeconds: () => 5,
  run: async ({ saved }, report, signal) => {
    report({ kind: 'starting' });
    setTimeout(() => void Promise.reject(new Error('nobody waits for this')), 20);
    const alive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    clearInterval(alive);
    writeFileSync(saved, 'saved');
    report({ kind: 'stopped' });
  },
});
