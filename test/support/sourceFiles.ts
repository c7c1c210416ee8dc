import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { packageRoot } from '../../configs/packageRoot.js';

const notRooms = /^(\.|node_modules$|build)/;

/** Files in the repository's folders, by their paths below it, but for what was installed or built. */
export function sourceFiles(): string[] {
  return readdirSync(packageRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !notRooms.test(entry.name))
    .flatMap(({ name }) => readdirSync(join(packageRoot, name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(packageRoot, join(entry.parentPath, entry.name)));
}
