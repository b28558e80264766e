/**
 * Entry of the threads that run the integer network on images while another one evaluates; see
 * engine/evaluation/threads.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { RunnerSetup } from './engine/evaluation/integerRunner';
import { serveThread } from './engine/evaluation/serveThread';

if (!parentPort) throw new Error('This file runs as a worker thread.');
serveThread(parentPort, workerData as RunnerSetup);
