import { z } from 'zod';
import { runConfigurationSchema } from '../schema/run.js';

/** The part of JSON Schema that zod writes for our configuration. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

let schema: JsonSchema | undefined;

/** JSON Schema of what a configuration file may say: for editors, and to know which settings exist. */
export function configurationJsonSchema(): JsonSchema {
  schema ??= z.toJSONSchema(runConfigurationSchema, { io: 'input' }) as JsonSchema;
  return schema;
}

/** The alternatives of a node: one a kind where it depends on one. */
function alternatives(node: JsonSchema): JsonSchema[] {
  return (node.oneOf ?? node.anyOf)?.flatMap(alternatives) ?? [node];
}

function step(node: JsonSchema, segment: string): JsonSchema[] {
  const own = node.properties;
  if (own !== undefined && Object.hasOwn(own, segment)) return alternatives(own[segment]!);
  if (/^\d+$/.test(segment)) {
    const item = node.prefixItems?.[Number(segment)] ?? (typeof node.items === 'object' ? node.items : undefined);
    if (item !== undefined) return alternatives(item);
  }
  return [];
}

/** The schemas that a dotted path may lead to (several where a parent has kinds); empty where there is no such setting. */
export function settingSchemas(path: readonly string[]): readonly JsonSchema[] {
  let nodes = alternatives(configurationJsonSchema());
  for (const segment of path) nodes = nodes.flatMap((node) => step(node, segment));
  return nodes;
}

/** Dotted paths of all settings, groups included, below a path (by default of all). */
export function settingPaths(parent: readonly string[] = []): string[] {
  const paths = new Set<string>();
  const visit = (node: JsonSchema, prefix: readonly string[]): void => {
    for (const name of Object.keys(node.properties ?? {})) {
      const path = [...prefix, name];
      paths.add(path.join('.'));
      for (const child of step(node, name)) visit(child, path);
    }
  };
  for (const node of settingSchemas(parent)) visit(node, parent);
  return [...paths];
}

/** Names directly below a group. */
export function settingNames(parent: readonly string[]): string[] {
  return [...new Set(settingSchemas(parent).flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** Does a setting take text, and nothing that YAML would read as something else (a number, true, a list)? */
export function takesTextOnly(path: readonly string[]): boolean {
  const types = settingSchemas(path).flatMap(({ type }) => type ?? 'any');
  return types.length > 0 && types.every((type) => type === 'string' || type === 'null') && types.includes('string');
}

/** Names of a group that belong to its kind `kind` (`storage` has other settings as `s3` than as `directory`). */
export function namesOfKind(parent: readonly string[], kind: unknown): string[] | null {
  const chosen = settingSchemas(parent).filter((node) => node.properties?.['kind']?.const === kind);
  return chosen.length === 0 ? null : chosen.flatMap((node) => Object.keys(node.properties ?? {}));
}
