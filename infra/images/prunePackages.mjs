/**
 * Takes out of installed npm packages what no program here runs: libraries and programs of other systems, maps and types.
 * `node prunePackages.mjs FOLDER`
 */
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What ELF calls the processor that this image is for. */
const machine = /** @type {Record<string, number>} */ ({ x64: 62, arm64: 183 })[process.arch];
const unused = /\.(map|d\.[cm]?ts|tsbuildinfo)$/;

/**
 * @param {string} file
 * @returns {boolean} whether it is a program or library of another system or processor
 */
export function isForeign(file) {
  const head = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  const length = readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  if (length < head.length) return false;
  const magic = head.readUInt32BE(0);
  if (magic === 0x7f454c46) return head[4] !== 2 || head.readUInt16LE(18) !== machine;
  const isMacOs = [0xcffaedfe, 0xcefaedfe, 0xfeedfacf, 0xfeedface].includes(magic);
  // Java's classes begin as macOS's programs for several processors do.
  const isUniversal = magic === 0xcafebabe && !file.endsWith('.class');
  return isMacOs || isUniversal || (head.readUInt16BE(0) === 0x4d5a && /\.(exe|dll|node)$/i.test(file));
}

/**
 * @param {string} folder
 * @returns {number} bytes that went
 */
export function prune(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.name === '.rollup.cache') {
      rmSync(file, { recursive: true });
    } else if (entry.isDirectory()) {
      bytes += prune(file);
    } else if (entry.isFile() && (unused.test(entry.name) || isForeign(file))) {
      bytes += statSync(file).size;
      rmSync(file);
    }
  }
  return bytes;
}

const [, program, folder] = process.argv;
if (folder !== undefined && program === fileURLToPath(import.meta.url)) {
  console.log(`${folder}: ${(prune(folder) / 1e6).toFixed(0)} MB of no use here went`);
}
