import { FormatError } from '../../formats/formatError.js';
import type { Element } from '../fields/xml.js';

/** An `<opencv_storage>` as the map that the same storage is in YAML or JSON. */
export function opencvStorage(root: Element, file: string): Record<string, unknown> {
  return mapOf(root, file);
}

function mapOf({ name, children }: Element, file: string): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (const child of children) {
    if (Object.hasOwn(map, child.name)) {
      throw new FormatError({ file, where: name, expected: `${child.name} once`, found: 'it again' });
    }
    map[child.name] = valueOf(child, file);
  }
  return map;
}

function valueOf(element: Element, file: string): unknown {
  const { attributes, children, text } = element;
  if (['opencv-matrix', 'opencv-nd-matrix'].includes(attributes['type_id'] ?? '')) {
    const map = mapOf(element, file);
    return { ...map, data: listOf(map['data']), ...('sizes' in map && { sizes: listOf(map['sizes']) }) };
  }
  if (children.length === 0) {
    const words = text.match(/"[^"]*"|\S+/g) ?? [];
    if (words.length === 0) return null;
    return words.length === 1 ? scalarOf(words[0]) : words.map(scalarOf);
  }
  // A list has elements without name.
  return children.every(({ name }) => name === '_')
    ? children.map((child) => valueOf(child, file))
    : mapOf(element, file);
}

/** XML does not tell one number from a list of one. */
function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : value === null ? [] : [value];
}

function scalarOf(word: string): number | string {
  if (word.startsWith('"')) return word.slice(1, -1);
  const number = Number(word);
  return Number.isNaN(number) ? word : number;
}
