/** Entry of the process that runs onnxruntime for the engine; see engine/inference/process.ts. */
import { OutputStatistics } from './engine/calibration/outputObserver';
import { serveInference } from './engine/inference/serve';

serveInference((observed) => new OutputStatistics(observed)).then(
  () => process.exit(0),
  // The caller is gone, or the pipe is broken: there is nobody to tell.
  () => process.exit(1),
);
