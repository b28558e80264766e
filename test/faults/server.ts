import { silentProgress } from '../../src/engine/common/progress';
import { UserError } from '../../src/engine/common/errors';
import { main } from '../../src/cli/main';
import { createService } from '../../src/worker/service';
import type { Run } from './commandLine';

/** What this process is asked: what the editor shows of a model, or a command of the command line. */
export type Question = { readonly view: string } | { readonly command: readonly string[] };

/**
 * What the editor would be given for a model: JSON on `stdout`, or one line on `stderr` that says why there is nothing
 * to show.
 */
function view(modelPath: string): Promise<Pick<Run, 'code' | 'stdout' | 'stderr'>> {
  return createService(silentProgress)
    .view({ modelPath, planPath: `${modelPath}.none` })
    .then(
      (shown) => ({ code: 0, stdout: JSON.stringify(shown), stderr: '' }),
      (error: unknown) => {
        const internal = `Internal error: ${(error as Error).stack ?? String(error)}`;
        return { code: 1, stdout: '', stderr: `${error instanceof UserError ? error.message : internal}\n` };
      },
    );
}

/** Runs a command of the command line and keeps what it prints. */
async function command(argv: readonly string[]): Promise<Pick<Run, 'code' | 'stdout' | 'stderr'>> {
  const printed = { stdout: '', stderr: '' };
  const streams = ['stdout', 'stderr'] as const;
  const writes = streams.map((name) => process[name].write.bind(process[name]));
  for (const name of streams)
    process[name].write = (piece: string | Uint8Array): boolean => {
      printed[name] += typeof piece === 'string' ? piece : Buffer.from(piece).toString();
      return true;
    };
  try {
    return { code: await main(argv), ...printed };
  } finally {
    streams.forEach((name, i) => (process[name].write = writes[i]));
  }
}

/** Answers one question after the other. As in the editor, one process serves all models. */
async function answer(question: Question): Promise<Run> {
  const before = process.cpuUsage();
  const result = await ('view' in question ? view(question.view) : command(question.command));
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpuSeconds: (user + system) / 1e6, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

process.on('message', (question: Question) => void answer(question).then((run) => process.send?.(run)));
