import type { ViewKind } from '../configs/schema/viewKind.js';
import { isViewOfKind } from './layout.js';

/** Which of a frame's views the networks see. */
export interface ViewChoice {
  /** By the cameras' names. */
  readonly viewKind: ViewKind;
  /** Cameras by name, whatever their kind; all of the kind where nothing is said. */
  readonly cameras?: readonly string[] | undefined;
  /** Views a frame at most; all where nothing is said. */
  readonly viewsAtMost?: number | undefined;
}

/** The part of a configuration that says it. */
export function viewChoiceOf({ viewKind, cameras, viewsAtMost }: ViewChoice): ViewChoice {
  return { viewKind, ...(cameras ? { cameras } : {}), ...(viewsAtMost !== undefined ? { viewsAtMost } : {}) };
}

/** Whether a camera is among those that are chosen; how many there may be is another matter. */
export function isChosen(name: string, { viewKind, cameras }: ViewChoice): boolean {
  return cameras ? cameras.includes(name) : isViewOfKind(name, viewKind);
}

/** So many of the views as may be, spread evenly over their order: always the same ones of the same cameras. */
export function atMost<View>(
  views: readonly View[],
  { viewsAtMost = Infinity }: Pick<ViewChoice, 'viewsAtMost'>,
): View[] {
  if (views.length <= viewsAtMost) return [...views];
  return Array.from({ length: viewsAtMost }, (_, i) => views[Math.floor(((i + 0.5) * views.length) / viewsAtMost)]!);
}

/** Cameras that are asked for by name and are not among those that there are. */
export function unknownCameras(there: Iterable<string>, { cameras = [] }: ViewChoice): string[] {
  const known = new Set(there);
  return cameras.filter((name) => !known.has(name));
}
