import { printable } from '../../text/printable.js';

/**
 * What shows work, so that it cannot end the work: an error in it is printed on standard error, once, and the work goes on.
 *
 * @param show called as before; what it throws stays here.
 */
export function harmless<Arguments extends readonly unknown[]>(
  show: (...parameters: Arguments) => void,
): (...parameters: Arguments) => void {
  let isTold = false;
  return (...parameters) => {
    try {
      show(...parameters);
    } catch (error) {
      if (isTold) return;
      isTold = true;
      process.stderr.write(`Progress cannot be shown (${printable(String(error))}). The work goes on.\n`);
    }
  };
}
