import type { RunStep } from '../../configs/temporal.js';

/** What somebody may want to know about a run. `milestone`: a step is done. */
export const noticeKinds = ['milestone', 'paused', 'running', 'done', 'failed', 'cancelled'] as const;
/** One of `noticeKinds`. */
export type NoticeKind = (typeof noticeKinds)[number];

/** What a workflow hands to the hook of its data worker's owner. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly run: string;
  /** The step that it is about; null: the whole. */
  readonly step: RunStep | null;
  /** One line or more, human-readable: what happened, and what to do where a person is needed. */
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
}
