import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Interruptions, StageExtension } from '../activities/types.js';
import { messages } from '../configs/temporal.js';
import type { StageProgress, StageReport } from '../training/process/protocol.js';
import type { RunStep } from '../configs/temporal.js';
import type { RunProgress, SeriesProgress } from './types.js';

/** What the Temporal UI says of them, beside the button that sends each. */
export const descriptions = {
  progress: 'Where it is: steps, states, progress, pre-emptions and failures. No argument.',
  seriesProgress: 'Where its runs are. No argument.',
  pause: 'Saves, stops and waits; answers once nothing runs any more. As tempeh-flow pause. No argument.',
  unpause: 'Goes on after pause. As tempeh-flow unpause. No argument.',
  resume: 'The former name of unpause. No argument.',
  extend: 'Trains a stage further. As tempeh-flow extend. Argument: {"stage": "refinement", "iterations": 200000}',
  internal: 'Internal: workflows and activities of tempeh-flow communicate by it. Send nothing here.',
} as const;

/** Progress of full training, and of each step. */
export const progressQuery = defineQuery<RunProgress>(messages.progress);

/** Progress of a series. */
export const seriesProgressQuery = defineQuery<SeriesProgress>(messages.seriesProgress);

/** Stops what runs in an orderly way (a trainer saves) and waits; answers once nothing runs any more. */
export const pauseUpdate = defineUpdate<RunProgress>(messages.pause);

/** Goes on where `pause` stopped, by its name and its former one. */
export const unpauseUpdates = [
  { update: defineUpdate<RunProgress>(messages.unpause), description: descriptions.unpause },
  { update: defineUpdate<RunProgress>(messages.resume), description: descriptions.resume },
] as const;

/** A stage trains to more steps: what trains saves and goes on. Refused with the reason where that cannot be. */
export const extendUpdate = defineUpdate<RunProgress, [StageExtension]>(messages.extend);

/** A training activity's report to its step, now and then (activities/runs/stageSignals.ts). */
export const stageProgressSignal = defineSignal<[StageProgress & StageReport]>(messages.stageProgress);

/** Whoever stops a step tells it first what its activities that wait for their next attempt have gone through, by their ids. */
export const attemptsSignal = defineSignal<[Readonly<Record<string, Interruptions>>]>(messages.attempts);

/** A worker that asks for no tasks, for it could not do those of this run: why, with worker and date. */
export const workerOutSignal = defineSignal<[string]>(messages.workerOut);

/** Full training's request to the step that runs. (A workflow cannot send updates to another.) */
export const pauseStepSignal = defineSignal('pauseStep');
export const resumeStepSignal = defineSignal('resumeStep');

export const extendStepSignal = defineSignal<[StageExtension]>('extendStep');

/** A step's report to the full training that started it: its own progress, whenever its state changes. */
export const stepReportSignal = defineSignal<[RunProgress]>('stepReport');

/** A run's word to the series that started it: that a step is done. */
export const memberReportSignal = defineSignal<[{ readonly run: string; readonly step: RunStep }]>('memberReport');
