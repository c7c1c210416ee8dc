import { appendFileSync } from 'node:fs';
import type { LoadHook } from 'node:module';

export const load: LoadHook = (url, context, nextLoad) => {
  appendFileSync(process.env['TEMPEH_LOADED']!, `imported ${url}\n`);
  return nextLoad(url, context);
};
