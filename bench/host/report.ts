import { table } from '../tables.js';
import type { HostFigures, HostPart } from './figures.js';

const titles = {
  ahead: 'ahead of the step, in loader threads',
  step: 'in the step',
  'at times': 'at times',
} as const;

const milliseconds = (value: number): string => (value < 0.095 ? '< 0.1' : value.toFixed(1));

/** Markdown: wall and processor milliseconds of each part by number of threads. @param results of both networks. */
export function hostReport(results: readonly HostFigures[]): string {
  const networks = [...new Set(results.map(({ network }) => network))];
  return networks.map((network) => ofNetwork(results.filter((result) => result.network === network))).join('\n');
}

function ofNetwork(results: readonly HostFigures[]): string {
  const [first] = results as [HostFigures];
  const head = [
    `${first.network} step, paper scale`,
    ...results.map(({ threads }) => `ms, ${threads} thread${threads > 1 ? 's' : ''}`),
    ...results.map(({ threads }) => `processor ms, ${threads}`),
  ];
  const rowsOf = (place: HostPart['place']): string[][] =>
    first.parts.flatMap((part, i) => {
      if (part.place !== place) return [];
      const all = results.map(({ parts }) => parts[i]!);
      return [
        [part.name, ...all.map(({ wall }) => milliseconds(wall)), ...all.map((each) => milliseconds(each.processor))],
      ];
    });
  const sum = (of: 'wall' | 'processor'): string[] =>
    results.map((result) => milliseconds(inStep(result).reduce((total, part) => total + part[of], 0)));
  const rows = [
    ...rowsOf('step'),
    ['**the step together**', ...sum('wall'), ...sum('processor')],
    ...(['ahead', 'at times'] as const).flatMap((place) =>
      rowsOf(place).map(([name, ...cells]) => [`${titles[place]}: ${name!}`, ...cells]),
    ),
  ];
  const legend =
    `${first.calls} calls into TensorFlow a step. Dispatch is that of a network with as many layers over a few voxels, whose ` +
    'arithmetic takes next to nothing.';
  return `## host, ${first.network}\n\n${table(head, rows)}\n\n${legend}\n`;
}

function inStep({ parts }: HostFigures): HostPart[] {
  return parts.filter(({ place }) => place === 'step');
}
