import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../configs/packageRoot.js';

/** A block of commands in the documentation. */
export interface Block {
  /** `docs/operating.md:51` */
  readonly where: string;
  readonly text: string;
  /** What the comment above it says of how it is tested; null where there is none. */
  readonly mark: string | null;
}

/** The blocks of commands of every page, in their order. */
export async function documentedBlocks(): Promise<Block[]> {
  const names = (await readdir(join(packageRoot, 'docs'))).filter((name) => name.endsWith('.md'));
  const pages = ['README.md', 'CONTRIBUTING.md', ...names.map((name) => `docs/${name}`)];
  const found = pages.map(async (page) => blocksOf(page, await readFile(join(packageRoot, page), 'utf8')));
  return (await Promise.all(found)).flat();
}

function blocksOf(page: string, text: string): Block[] {
  return [...text.matchAll(/(?:<!-- block: (.*) -->\n\n)?^ *```sh\n([^]*?)^ *```/gm)].map((match) => {
    const [whole, mark = null, block] = match;
    const line = text.slice(0, match.index + whole.indexOf('```sh')).split('\n').length;
    return { where: `${page}:${line}`, text: block!, mark };
  });
}
