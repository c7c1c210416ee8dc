import { isAlias, isMap, isNode, isScalar } from 'yaml';
import { readBoundedYaml, YamlUnreadable, type BoundedYaml } from '../../text/boundedYaml.js';
import { ConfigurationError } from '../configurationError.js';

/** Five times the characters of `config show`, with every setting explained; ours are five groups deep. */
const limits = { longest: 1 << 16, deepest: 32 } as const;

/**
 * Reads the text of a YAML file.
 *
 * @param name what errors call it.
 * @throws ConfigurationError naming file and line: for what is no YAML, too long, too deep, a setting that stands twice, a
 *   type that is not known, and aliases of aliases that would become very large.
 */
export function readYaml(text: string, name: string): BoundedYaml {
  try {
    return readBoundedYaml(text, limits);
  } catch (cause) {
    if (!(cause instanceof YamlUnreadable)) throw cause;
    throw new ConfigurationError(
      cause.problems.map(({ line, key, problem }) => ({
        where: `${name}:${line}`,
        setting: key,
        found: null,
        expected: problem,
      })),
    );
  }
}

/** The line of a setting; of its nearest group where it is not in the file. From 1. */
export function lineOf({ document, lineCounter }: BoundedYaml, path: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [depth, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else {
      const child = document.getIn([...path.slice(0, depth), Number(segment)], true);
      if (!isNode(child)) break;
      offset = child.range?.[0] ?? offset;
      node = child;
    }
  }
  return lineCounter.linePos(offset).line;
}
