import { Document, isMap, isScalar, visit } from 'yaml';
import { describeSettings } from './describeSettings.js';
import type { RunConfiguration } from '../schema/run.js';

/** A configuration as YAML, each setting with its sentence as a comment above it (once where stages repeat it). */
export function explainedYaml(configuration: RunConfiguration): string {
  const sentences = new Map(describeSettings().map(({ path, sentence }) => [path, sentence]));
  const said = new Set<string>();
  const document = new Document(configuration);
  visit(document, {
    Pair: (_, pair, ancestors) => {
      const parents = ancestors.flatMap((node) =>
        typeof node === 'object' && 'key' in node && isScalar(node.key) ? [String(node.key.value)] : [],
      );
      if (!isScalar(pair.key)) return;
      const sentence = sentences.get([...parents, String(pair.key.value)].join('.'));
      if (sentence && !said.has(sentence)) {
        said.add(sentence);
        pair.key.commentBefore = ` ${sentence}`;
        if (isMap(pair.value)) pair.key.spaceBefore = true;
      }
    },
  });
  return document.toString({ lineWidth: 0 });
}
