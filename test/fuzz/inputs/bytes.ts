import fc, { type Arbitrary } from 'fast-check';

/** What damage does to bytes: one place changed, the end cut off, a piece twice, something put in. */
const change = fc.record({
  kind: fc.constantFrom('set', 'cut', 'repeat', 'insert', 'zero', 'number'),
  /** In thousandths of the length. */
  at: fc.nat(1000),
  length: fc.nat(64),
  value: fc.nat(255),
});
type Change = typeof change extends Arbitrary<infer T> ? T : never;

/** Numbers that counts and offsets are compared with. */
const edges = [0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** Bytes, whole or damaged in a few places. */
export function damaged(source: Arbitrary<Buffer>): Arbitrary<Buffer> {
  return fc.oneof(source, fc.tuple(source, fc.array(change, { minLength: 1, maxLength: 4 })).map(apply));
}

function apply([bytes, changes]: [Buffer, Change[]]): Buffer {
  return changes.reduce<Buffer>((before, { kind, at, length, value }) => {
    const place = Math.floor((before.length * at) / 1000);
    const piece = before.subarray(place, place + length);
    const [head, tail] = [before.subarray(0, place), before.subarray(place)];
    if (kind === 'cut') return Buffer.from(head);
    if (kind === 'repeat') return Buffer.concat([head, piece, piece, piece, tail]);
    if (kind === 'insert') return Buffer.concat([head, Buffer.alloc(length, value), tail]);
    const copy = Buffer.from(before);
    if (kind === 'zero') copy.fill(0, place, Math.min(copy.length, place + length));
    else if (kind === 'set' && copy.length > 0) copy[Math.min(place, copy.length - 1)] = value;
    else if (place + 4 <= copy.length) copy.writeUInt32LE(edges[value % edges.length]!, place);
    return copy;
  }, bytes);
}

/** Text of a format's own words, in an order that is right now and then. */
export function words(tokens: readonly string[], separator: string, maxLength = 60): Arbitrary<string> {
  return fc.array(fc.constantFrom(...tokens), { maxLength }).map((list) => list.join(separator));
}

/** Numbers as files write them, right and wrong. */
export const numbers = [
  '0',
  '1',
  '-1',
  '2',
  '3',
  '0.5',
  '1e3',
  '-0',
  '1e39',
  '1e400',
  'nan',
  'NaN',
  'inf',
  '0x10',
  '',
  '1,5',
  '4294967295',
  '2147483648',
  '1_0',
  '٣',
];

/** JSON of a form, with parts of it replaced by anything. */
export function jsonLike(form: unknown): Arbitrary<string> {
  const anything = fc.oneof(
    fc.constantFrom<unknown>(null, '', [], {}, -1, 1e308, 'x', true, '__proto__'),
    fc.jsonValue(),
  );
  return fc.array(fc.tuple(fc.nat(200), anything), { maxLength: 3 }).map((replacements) => {
    let json: unknown = structuredClone(form);
    for (const [place, value] of replacements) json = replaced(json, { left: place }, value);
    return JSON.stringify(json);
  });
}

/** Goes through the tree and puts a value in the place of its `left`th part. */
function replaced(json: unknown, place: { left: number }, value: unknown): unknown {
  if (place.left-- === 0) return value;
  if (Array.isArray(json))
    return json.map((item) => (place.left < 0 ? (item as unknown) : replaced(item, place, value)));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, item]) => [key, place.left < 0 ? (item as unknown) : replaced(item, place, value)]),
  );
}
