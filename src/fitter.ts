/** Entry of the threads that fit weights and measure sensitivities; see engine/vdqs/fitThreads.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FitSetup } from './engine/vdqs/fitTasks';
import { serveFits } from './engine/vdqs/fitThreads';

if (!parentPort) throw new Error('This file runs as a worker thread.');
serveFits(parentPort, workerData as FitSetup);
