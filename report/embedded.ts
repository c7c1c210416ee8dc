import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);

/** Libraries of the page, by the name under which its scripts import them. */
const libraries = {
  three: () => beside('three', 'three.module.js').replaceAll("'./three.core.js'", "'three-core'"),
  'three-core': () => beside('three', 'three.core.js'),
  uplot: () => readFileSync(require.resolve('uplot/dist/uPlot.esm.js'), 'utf8'),
} as const;

export type LibraryName = keyof typeof libraries;

/** A script block that a page unpacks (`browser/unpack.js`): text, compressed. */
export function packed(id: string, text: string): string {
  const bytes = gzipSync(Buffer.from(text), { level: 9 });
  return `<script type="application/gzip" id="${id}">${bytes.toString('base64')}</script>`;
}

/** A library, for the page to import: it needs nothing from any network. */
export function packedLibrary(name: LibraryName): string {
  return packed(`library-${name}`, libraries[name]());
}

export function uplotStyle(): string {
  return readFileSync(require.resolve('uplot/dist/uPlot.min.css'), 'utf8');
}

/** A script of `report/browser/`: plain JavaScript, which stays where the sources are. */
export function browserScript(name: string): string {
  return readFileSync(new URL(`../../report/browser/${name}`, import.meta.url), 'utf8');
}

/** A file beside the one that a package's name stands for. */
function beside(packageName: string, file: string): string {
  return readFileSync(new URL(file, `file://${require.resolve(packageName)}`), 'utf8');
}
