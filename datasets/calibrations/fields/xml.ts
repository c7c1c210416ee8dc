import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { FormatError, quoted } from '../../formats/formatError.js';

/** An element of an XML file. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Its text, without that of its children, trimmed. */
  readonly text: string;
}

/** Elements in elements. */
const deepest = 24;
/** Elements of a file; Metashape writes about twenty a camera. */
const mostElements = 100_000;

/**
 * Reads an XML file: its root element. No entities, no document type, nothing from elsewhere.
 * @throws FormatError
 */
export function parseXml(text: string, file: string): Element {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    throw new FormatError({ file, expected: 'XML without a document type', found: '<!DOCTYPE or <!ENTITY' });
  }
  const opened = text.split('<', mostElements * 2 + 2).length;
  if (opened > mostElements * 2) {
    throw new FormatError({ file, expected: `XML of at most ${mostElements} elements`, found: 'more' });
  }
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    const { msg, line } = valid.err;
    throw new FormatError({ file, where: `line ${line}`, expected: 'XML', found: msg });
  }
  let nodes: unknown;
  try {
    nodes = new XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: '',
      parseTagValue: false,
      parseAttributeValue: false,
      processEntities: false,
      maxNestedTags: deepest,
    }).parse(text);
  } catch (cause) {
    throw new FormatError({ file, expected: 'XML', found: cause instanceof Error ? cause.message : String(cause) });
  }
  const roots = elementsOf(nodes).filter(({ name }) => !name.startsWith('?'));
  const [root] = roots;
  if (roots.length === 1 && root) return root;
  const found = roots.map(({ name }) => quoted(name)).join(', ') || 'nothing';
  throw new FormatError({ file, expected: 'XML with one root element', found });
}

/** The parser's nodes: each a map of its tag to its children, beside `:@`, its attributes. */
function elementsOf(nodes: unknown): Element[] {
  if (!Array.isArray(nodes)) return [];
  return (nodes as readonly Readonly<Record<string, unknown>>[]).flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== ':@' && key !== '#text');
    if (name === undefined) return [];
    const inner = node[name];
    const attributes = (node[':@'] ?? {}) as Record<string, string>;
    return [{ name, attributes, children: elementsOf(inner), text: textOf(inner) }];
  });
}

function textOf(nodes: unknown): string {
  if (!Array.isArray(nodes)) return '';
  const texts = (nodes as readonly Readonly<Record<string, unknown>>[]).map((node) => node['#text']);
  return texts
    .filter((text) => typeof text === 'string')
    .join(' ')
    .trim();
}

export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

/** The one child of a name; null if there is none. @throws FormatError of several */
export function childOf(element: Element, name: string, file: string): Element | null {
  const found = childrenOf(element, name);
  if (found.length <= 1) return found[0] ?? null;
  throw new FormatError({ file, where: element.name, expected: `one element ${name}`, found: `${found.length}` });
}

/** `count` finite numbers, separated by blanks. @throws FormatError */
export function numbersIn(element: Element, count: number, file: string, where: string): number[] {
  const words = element.text.split(/\s+/).filter((word) => word !== '');
  const numbers = words.map(Number);
  if (numbers.length === count && numbers.every(Number.isFinite)) return numbers;
  const expected = `${count} number${count === 1 ? '' : 's'}`;
  throw new FormatError({ file, where: `${where}, ${element.name}`, expected, found: quoted(element.text) });
}
