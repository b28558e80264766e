import { silentProgress } from '../../src/engine/common/progress';
import { UserError } from '../../src/engine/common/errors';
import { createService } from '../../src/worker/service';
import type { Run } from './commandLine';

/**
 * Answers, for one model's path after the other, what the editor would be given: JSON on `stdout`, or one line on
 * `stderr` that says why there is nothing to show. As in the editor, one process serves all models.
 */
async function view(modelPath: string): Promise<Run> {
  const before = process.cpuUsage();
  const result = await createService(silentProgress)
    .view({ modelPath, planPath: `${modelPath}.none` })
    .then(
      (shown) => ({ code: 0, stdout: JSON.stringify(shown), stderr: '' }),
      (error: unknown) => {
        const internal = `Internal error: ${(error as Error).stack ?? String(error)}`;
        return { code: 1, stdout: '', stderr: `${error instanceof UserError ? error.message : internal}\n` };
      },
    );
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpuSeconds: (user + system) / 1e6, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

process.on('message', (modelPath: string) => void view(modelPath).then((run) => process.send?.(run)));
