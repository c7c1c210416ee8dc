/**
 * The first key that comes twice in one object of a JSON text: `JSON.parse` would take the last of its values, silently.
 *
 * @param json valid JSON.
 * @returns its key and line (from 1); null if there is none.
 */
export function repeatedKey(json: string): { readonly key: string; readonly line: number } | null {
  /** The keys of each open object; null for a list. */
  const open: (Set<string> | null)[] = [];
  let line = 1;
  let isKey = false;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:\n]/g)) {
    const keys = open.at(-1) ?? null;
    if (token === '\n') line++;
    else if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : null);
      isKey = token === '{';
    } else if (token === '}' || token === ']') open.pop();
    else if (token === ',') isKey = keys !== null;
    else if (token === ':') isKey = false;
    else if (isKey && keys !== null) {
      const key = JSON.parse(token) as string;
      if (keys.has(key)) return { key, line };
      keys.add(key);
      isKey = false;
    }
  }
  return null;
}
