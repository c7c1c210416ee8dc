import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Interruptions, StageExtension } from '../activities/types.js';
import { messages } from '../configs/temporal.js';
import type { StageProgress } from '../training/process/protocol.js';
import type { RunProgress } from './types.js';

/** Of full training and of each step. */
export const progressQuery = defineQuery<RunProgress>(messages.progress);

/** Stops what runs in an orderly way (a trainer saves) and waits; answers once nothing runs any more. */
export const pauseUpdate = defineUpdate<RunProgress>(messages.pause);

/** Goes on where `pause` stopped. */
export const resumeUpdate = defineUpdate<RunProgress>(messages.resume);

/** A stage trains to more steps: what trains saves and goes on. Refused with the reason where that cannot be. */
export const extendUpdate = defineUpdate<RunProgress, [StageExtension]>(messages.extend);

/** A training activity's word to its step, at checkpoints. */
export const stageProgressSignal = defineSignal<[StageProgress]>(messages.stageProgress);

/** Who stops a step tells it before what its activities that wait for their next attempt have gone through, by their ids. */
export const attemptsSignal = defineSignal<[Readonly<Record<string, Interruptions>>]>(messages.attempts);

/** Full training's word to the step that runs. (A workflow cannot send updates to another.) */
export const pauseStepSignal = defineSignal('pauseStep');
export const resumeStepSignal = defineSignal('resumeStep');

export const extendStepSignal = defineSignal<[StageExtension]>('extendStep');

/** A step's word to the full training that started it: its own progress, whenever its state changes. */
export const stepReportSignal = defineSignal<[RunProgress]>('stepReport');
