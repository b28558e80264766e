import { silentProgress } from '../../src/engine/common/progress';
import { UserError } from '../../src/engine/common/errors';
import { createService } from '../../src/worker/service';

/**
 * Prints what the editor would be given of a model: one line of JSON, or one line that says why there is nothing to
 * show.
 */
const [modelPath] = process.argv.slice(2);
createService(silentProgress)
  .view({ modelPath, planPath: `${modelPath}.none` })
  .then(
    (view) => process.stdout.write(`${JSON.stringify(view)}\n`),
    (error: unknown) => {
      const internal = `Internal error: ${(error as Error).stack ?? String(error)}`;
      process.stderr.write(`${error instanceof UserError ? error.message : internal}\n`);
      process.exitCode = 1;
    },
  );
