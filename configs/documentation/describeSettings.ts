import { configurationJsonSchema, type JsonSchema } from './settings.js';

/** One setting of a configuration, as the reference has it. */
export interface SettingDescription {
  /** Dotted, as `--set` takes it. */
  readonly path: string;
  /** What it does, with its unit. */
  readonly sentence: string;
  /** What may stand there; empty for a group of settings. */
  readonly type: string;
  /** As YAML would have it; null where it must be given. */
  readonly default: string | null;
  readonly group: boolean;
}

/** Every setting in the schema's order; of alternatives (`storage` in a bucket or in a folder) one after the other. */
export function describeSettings(): SettingDescription[] {
  const found = new Map<string, SettingDescription>();
  const visit = (node: JsonSchema, path: readonly string[], inherited: unknown): void => {
    for (const kind of node.oneOf ?? node.anyOf ?? []) visit(kind, path, inherited);
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const own = [...path, name];
      const fallback = child.default ?? valueIn(inherited, name);
      const group = hasProperties(child);
      const known = found.get(own.join('.'));
      if (name !== 'kind' || known === undefined) {
        const type = group ? '' : [...new Set([known?.type, typeOf(child)].filter(Boolean))].join(' or ');
        found.set(own.join('.'), {
          path: own.join('.'),
          sentence:
            child.description ?? known?.sentence ?? (name === 'kind' ? 'Which of the alternatives is meant.' : ''),
          type,
          default: group || fallback === undefined ? null : JSON.stringify(fallback),
          group,
        });
      } else {
        found.set(known.path, { ...known, type: `${known.type} or ${typeOf(child)}` });
      }
      visit(child, own, fallback);
    }
  };
  visit(configurationJsonSchema(), [], undefined);
  return [...found.values()];
}

function hasProperties(node: JsonSchema): boolean {
  return node.properties !== undefined || (node.oneOf ?? node.anyOf ?? []).some(hasProperties);
}

function valueIn(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** `integer`, `number > 0`, `stereo or colour or all`, `[number, number]`: short and human-readable. */
function typeOf(node: JsonSchema): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const).replaceAll('"', '')}\``;
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(' or ');
  const kinds = node.oneOf ?? node.anyOf;
  if (kinds) return kinds.map(typeOf).join(' or ');
  if (node.prefixItems) return `[${node.prefixItems.map(typeOf).join(', ')}]`;
  if (node.type === 'array') return `list of ${typeof node.items === 'object' ? typeOf(node.items) : 'values'}`;
  if (node.type === 'object') return 'names and values';
  const type = String(node.type ?? 'value')
    .replace('boolean', 'true or false')
    .replace('string', 'text');
  const limits = [
    node.exclusiveMinimum === undefined ? '' : `> ${node.exclusiveMinimum}`,
    node.minimum === undefined || node.minimum <= Number.MIN_SAFE_INTEGER ? '' : `≥ ${node.minimum}`,
    node.maximum === undefined || node.maximum >= Number.MAX_SAFE_INTEGER ? '' : `≤ ${node.maximum}`,
  ].filter(Boolean);
  return [type, ...limits].join(' ');
}

/** `docs/configuration.md`: a table a group. Written by `npm run docs`; a test compares it with the schema. */
export function configurationReference(): string {
  const settings = describeSettings();
  const parentOf = (path: string): string => path.split('.').slice(0, -1).join('.');
  const lines = [
    '# Configuration',
    '',
    'Every setting of a run’s configuration. Written by `npm run docs` from the schema (`configs/schema/`); do not edit by hand.',
    '',
    'A file says what differs from the defaults; `--set PATH=VALUE` overrides it; `tempeh-flow config show` prints the result.',
    'Where there is no default, a value is needed.',
  ];
  for (const group of ['', ...settings.filter((setting) => setting.group).map(({ path }) => path)]) {
    const members = settings.filter(({ path, group: isGroup }) => parentOf(path) === group && !isGroup);
    const sentence = settings.find(({ path }) => path === group)?.sentence;
    if (group !== '') lines.push('', `## ${group}`, ...(sentence ? ['', sentence] : []));
    if (members.length === 0) continue;
    lines.push('', '| setting | what it does | value | default |', '| --- | --- | --- | --- |');
    for (const { path, sentence: what, type, default: fallback } of members) {
      const name = path.split('.').at(-1) ?? path;
      lines.push(
        `| \`${name}\` | ${cell(what)} | ${cell(type)} | ${fallback === null ? '' : `\`${cell(fallback)}\``} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
