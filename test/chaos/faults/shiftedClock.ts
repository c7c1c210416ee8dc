/**
 * Loaded into a worker and what it starts (`node --import`): its clock goes as many seconds ahead as the file CLOCK says, and
 * jumps when that changes. Time that has passed (performance.now, timers) is the machine's, as with a real clock that is set.
 */
import { readFileSync } from 'node:fs';

const file = process.env['TEMPEH_TEST_CLOCK'];
if (file !== undefined) {
  const RealDate = Date;
  let seconds = 0;
  const look = (): void => {
    const content = Number(readFileSync(file, 'utf8'));
    if (Number.isFinite(content)) seconds = content;
  };
  const now = (): number => RealDate.now() + seconds * 1000;
  look();
  setInterval(look, 100).unref();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], newTarget) as Date,
    get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
  });
}
