/** Entry of the process that runs onnxruntime for the engine; see engine/inference/process.ts. */
import { serveInference } from './engine/inference/serve';

serveInference().then(
  () => process.exit(0),
  // The caller is gone, or the pipe is broken: there is nobody to tell.
  () => process.exit(1),
);
