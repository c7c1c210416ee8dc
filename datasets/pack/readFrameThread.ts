import { serveThread } from '../threads/serveThread.js';
import { readFrame, type FrameResult, type FrameTask } from './readFrame.js';

serveThread<FrameTask, FrameResult>(() => readFrame);
