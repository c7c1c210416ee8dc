import type { LoggedScalar } from '../../checkpoints/events/readSegment.js';

/** Lines of one picture. */
export interface Curve {
  readonly title: string;
  readonly logarithmic: boolean;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly label: string;
  /** Few measurements are shown as points, too. */
  readonly points: boolean;
  /** Ascending. */
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** Points of a line, at most: more than a screen shows. */
const pointsOfLine = 700;

/** The tags of a stage's event log (docs/method.md 4) that the report draws, by picture. */
const pictures = [
  { title: 'loss', logarithmic: true, tags: ['Total loss'] },
  { title: 'point to surface, mm', logarithmic: true, tags: ['Points2Surface distance'] },
  { title: 'learning rate', logarithmic: false, tags: ['Learning rate'] },
] as const;

/** Collects a stage's scalars. */
export class Series {
  private readonly byTag = new Map<string, { steps: number[]; values: number[] }>();

  /** @returns the steps and the time that the scalars span; null where there are none. */
  addAll(scalars: Iterable<LoggedScalar>): { fromStep: number; toStep: number; from: number; to: number } | null {
    const span = { fromStep: Infinity, toStep: -Infinity, from: Infinity, to: -Infinity };
    for (const { wallTime, step, tag, value } of scalars) {
      span.fromStep = Math.min(span.fromStep, step);
      span.toStep = Math.max(span.toStep, step);
      span.from = Math.min(span.from, wallTime);
      span.to = Math.max(span.to, wallTime);
      const line = this.byTag.get(tag) ?? { steps: [], values: [] };
      this.byTag.set(tag, line);
      line.steps.push(step);
      line.values.push(value);
    }
    return Number.isFinite(span.from) ? span : null;
  }

  /** @param stage names the pictures. */
  curves(stage: string): Curve[] {
    return pictures.flatMap(({ title, logarithmic, tags }) => {
      const lines = tags.flatMap((tag) =>
        ['train', 'validation'].flatMap((split): Line[] => {
          const found = this.byTag.get(`${tag}/${split}`);
          return found === undefined ? [] : [thinned(split, found, logarithmic)];
        }),
      );
      return lines.length === 0 ? [] : [{ title: `${stage}: ${title}`, logarithmic, lines }];
    });
  }
}

/** Means of as many neighbouring values as it takes. What a logarithmic scale cannot show is a gap. */
function thinned(label: string, { steps, values }: { steps: number[]; values: number[] }, positive: boolean): Line {
  const every = Math.max(1, Math.ceil(steps.length / pointsOfLine));
  const kept: number[] = [];
  const means: (number | null)[] = [];
  for (let from = 0; from < steps.length; from += every) {
    const group = values
      .slice(from, from + every)
      .filter((value) => Number.isFinite(value) && (!positive || value > 0));
    kept.push(steps[Math.min(steps.length - 1, from + every - 1)]!);
    means.push(group.length === 0 ? null : group.reduce((sum, value) => sum + value, 0) / group.length);
  }
  return { label, points: steps.length < 60, steps: kept, values: means };
}
