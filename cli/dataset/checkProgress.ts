import type { InspectProgress } from '../../datasets/inspect/types.js';

const interval = 200;

/** A line of a terminal that shows how far a check is; nothing where it is no terminal. */
export function checkProgress(stream: NodeJS.WriteStream): {
  readonly show: (progress: InspectProgress) => void;
  readonly clear: () => void;
} {
  let shownAt = -Infinity;
  let isShown = false;
  return {
    show({ what, done, total }) {
      const now = performance.now();
      if (!stream.isTTY || now - shownAt < interval) return;
      shownAt = now;
      isShown = true;
      stream.write(`\r\u001b[K${what}: ${done}${total === null ? '' : ` of ${total}`}`);
    },
    clear() {
      if (isShown) stream.write('\r\u001b[K');
      isShown = false;
    },
  };
}
