import type { Graph } from '../graph/types';
import { relativeTo } from './relativeTo';
import type { Plan } from './types';

/** How a plan names its model, and where the network ends if not where the file does. */
export function modelOf(
  planPath: string,
  { modelPath, sha256, sizes }: { modelPath: string; sha256: string; sizes?: Plan['model']['sizes'] },
  { outputs }: Graph,
): Plan['model'] {
  return {
    file: relativeTo(planPath, modelPath),
    sha256,
    ...(sizes ? { sizes } : {}),
    ...(outputs.some(({ inner }) => inner) ? { outputs: outputs.map(({ name }) => name) } : {}),
  };
}
