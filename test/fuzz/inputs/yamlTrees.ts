import fc, { type Arbitrary } from 'fast-check';
import { Alias, Document, isCollection, isMap, isScalar, parse, Pair, Scalar, visit, type Node } from 'yaml';
import { fileOf } from './lines.js';

/** What is done to one of a configuration's nodes. */
const order = fc.record({
  kind: fc.constantFrom('value', 'anchor', 'alias', 'merge', 'merge list', 'tag', 'flow', 'comment', 'key', 'copy'),
  at: fc.nat(400),
  other: fc.nat(400),
  value: fc.oneof(
    fc.constantFrom<unknown>(null, '', 0, -1, 0.5, 1e308, 2 ** 53, true, 'x', '1e3', '0x10', '.inf', '.nan', [], {}, [
      [],
    ]),
    fc.constantFrom<unknown>({ kind: 'nothing' }, { kind: 'directory', path: '/x' }, [0, 0, 0], ['a', 'a'], '!!str 1'),
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
  ),
  name: fc.constantFrom(
    'kind',
    'seed',
    'storage',
    'iterations',
    '__proto__',
    'constructor',
    'a.b',
    '',
    '0',
    '<<',
    '? x',
  ),
  tag: fc.constantFrom(
    '!!str',
    '!!int',
    '!!float',
    '!!null',
    '!!binary',
    '!!set',
    '!!omap',
    '!!timestamp',
    '!own',
    '!!js/function',
  ),
});
type Order = typeof order extends Arbitrary<infer T> ? T : never;

function nodesOf(document: Document): Node[] {
  const nodes: Node[] = [];
  visit(document, { Node: (_, node) => void nodes.push(node) });
  return nodes;
}

/** Carries orders out on the tree; one that does not fit the node is left out. */
function changed(document: Document, orders: readonly Order[]): string {
  let anchors = 0;
  for (const { kind, at, other, value, name, tag } of orders) {
    const nodes = nodesOf(document);
    const [node, second] = [nodes[at % nodes.length]!, nodes[other % nodes.length]!];
    const aliasOf = (target: Node): Alias => {
      if (isScalar(target) || isCollection(target)) target.anchor ??= `a${anchors++}`;
      return new Alias((target as Scalar).anchor ?? 'nowhere');
    };
    const into = (made: Node): void => {
      visit(document, {
        Pair: (_, pair) => (pair.value === node ? ((pair.value = made), visit.BREAK) : undefined),
        Seq: (_, list) => {
          const place = list.items.indexOf(node);
          if (place < 0) return undefined;
          list.items[place] = made;
          return visit.BREAK;
        },
      });
    };
    if (kind === 'value') into(document.createNode(value));
    else if (kind === 'anchor' && (isScalar(node) || isCollection(node))) node.anchor = `a${anchors++}`;
    else if (kind === 'alias') into(aliasOf(second));
    else if (kind === 'copy') into(second);
    else if (kind === 'merge' && isMap(node)) node.items.unshift(new Pair(new Scalar('<<'), aliasOf(second)));
    else if (kind === 'merge list' && isMap(node)) {
      const list = document.createNode([]) as unknown as { items: unknown[] } & Node;
      list.items.push(aliasOf(second), aliasOf(nodes[(at + other) % nodes.length]!));
      node.items.unshift(new Pair(new Scalar('<<'), list));
    } else if (kind === 'tag' && (isScalar(node) || isCollection(node))) node.tag = tag;
    else if (kind === 'flow' && isCollection(node)) node.flow = true;
    else if (kind === 'comment') node.comment = ' \u001b[31m';
    else if (kind === 'key' && isMap(node)) node.items.push(new Pair(new Scalar(name), document.createNode(value)));
  }
  return String(document);
}

const ours = ['configs/miniature.yaml', 'configs/famos.yaml', 'test/chaos/chaos.yaml'].map((path): unknown =>
  parse(fileOf(path), { merge: true }),
);

/** Our configurations with nodes of their tree changed: aliases to any part of it, merges, tags, other values and names. */
export const yamlTrees: Arbitrary<string> = fc
  .tuple(fc.constantFrom(...ours), fc.array(order, { maxLength: 6 }))
  .map(([tree, orders]) => {
    try {
      return changed(new Document(tree), orders);
    } catch {
      // An alias to itself, which this library does not write.
      return 'a: &a [*a]\n';
    }
  });
