import * as vscode from 'vscode';
import { tickStep } from '../firstSteps';
import type { SelftestRequest } from '../../protocol/engine';
import { formatCount } from '../format';
import { showFailure } from '../log';
import { nameOf } from '../planFiles';
import type { Services } from '../services';
import { optimizeSetting } from '../settings';
import { pick, runSteps, type Choice } from '../steps';
import { chooseTrustedPlan } from './plan';

type Core = SelftestRequest['core'];

/**
 * Builds the self-test of a model's generated sources and runs it on an emulated core; what came out goes to the
 * model's editor, the output to the log.
 */
export async function selftest({ editors, engine, jobs, log }: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Run on Emulator');
  const chosen = await chooseTrustedPlan(argument, title);
  if (!chosen) return;
  const { model, plan } = chosen;
  const emulated = vscode.l10n.t('emulated; needs arm-none-eabi-gcc and qemu-system-arm');
  const cores: Choice<Core>[] = [
    { label: 'Cortex-M4', description: emulated, value: 'm4' },
    { label: 'Cortex-M0+', description: emulated, value: 'm0plus' },
    { label: 'Cortex-M3', description: emulated, value: 'm3' },
    { label: 'Cortex-M7', description: emulated, value: 'm7' },
    { label: 'Cortex-M33', description: emulated, value: 'm33' },
    { label: 'Cortex-M55', description: emulated, value: 'm55' },
    { label: vscode.l10n.t('This computer'), description: vscode.l10n.t('needs a C compiler'), value: 'host' },
  ];
  let core = cores[0];
  const done = await runSteps(title, [
    async (place) => {
      const value = await pick(place, vscode.l10n.t('Where should the self-test run?'), cores, cores[0]);
      core = cores.find((choice) => choice.value === value)!;
    },
  ]);
  if (!done) return;
  const action = vscode.l10n.t('Self-test of {0} on {1}', nameOf(model), core.label);
  try {
    const { passed, message, output, instructions } = await jobs.run(model, action, (options) =>
      engine.run(
        (e) => e.selftest({ planPath: plan.fsPath, core: core.value, optimize: optimizeSetting(model) }),
        options,
      ),
    );
    log[passed ? 'info' : 'error'](`${action} ${message}\n${output.trimEnd()}`);
    const showLog = vscode.l10n.t('Show Log');
    const counted =
      instructions === null
        ? ''
        : ' ' +
          vscode.l10n.t(
            '{0} instructions, counted by the emulated board’s timer: see Graph and Layers.',
            formatCount(instructions),
          );
    const text = `${action} ${message}.${counted}`;
    editors.showResult(model, { ok: passed, message: text });
    if (passed) tickStep('run');
    const answer = await (passed
      ? vscode.window.showInformationMessage(text, showLog)
      : vscode.window.showErrorMessage(text, showLog));
    if (answer === showLog) log.show();
  } catch (error) {
    void showFailure(log, action, error);
  }
}
