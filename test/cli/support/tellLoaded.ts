import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';

// Given to `node --import`: writes the modules that a program imports, and at its end those that it requires, to TEMPEH_LOADED.
register('./tellImports.js', import.meta.url);
process.on('exit', () => {
  const required = Object.keys(createRequire(import.meta.url).cache);
  appendFileSync(process.env['TEMPEH_LOADED']!, required.map((file) => `required ${file}\n`).join(''));
});
