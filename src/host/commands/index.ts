import * as vscode from 'vscode';
import { isCancellation, showFailure } from '../log';
import type { Services } from '../services';
import { cancel, keep } from './cancel';
import { chooseImages } from './chooseImages';
import { compareVersions } from './compareVersions';
import { evaluate } from './evaluate';
import { chooseCamera, generate, generateAgain } from './generate';
import { openPlan } from './openPlan';
import { openSample } from './openSample';
import { largerBudget, quantize } from './quantize';
import { remove } from './remove';
import { selftest } from './selftest';
import { showLayer } from './showLayer';

type Command = (services: Services, argument: unknown, more?: unknown) => Promise<unknown>;

const commands: Record<string, Command> = {
  'quantmcu.quantize': quantize,
  'quantmcu.largerBudget': largerBudget,
  'quantmcu.generate': generate,
  'quantmcu.generateAgain': generateAgain,
  'quantmcu.chooseCamera': chooseCamera,
  'quantmcu.evaluate': evaluate,
  'quantmcu.compareVersions': compareVersions,
  'quantmcu.remove': remove,
  'quantmcu.selftest': selftest,
  'quantmcu.openPlan': openPlan,
  'quantmcu.cancel': cancel,
  'quantmcu.keep': keep,
  'quantmcu.showLayer': showLayer,
  'quantmcu.chooseImages': chooseImages,
  'quantmcu.openSample': openSample,
};

/**
 * Registers all commands. A failure is shown to the user and never thrown back at VS Code, which would show it a second
 * time.
 */
export function registerCommands(services: Services): vscode.Disposable {
  return vscode.Disposable.from(
    ...Object.entries(commands).map(([id, command]) =>
      vscode.commands.registerCommand(id, async (argument: unknown, more: unknown) => {
        try {
          return await command(services, argument, more);
        } catch (error) {
          if (!isCancellation(error)) void showFailure(services.log, id, error);
          return undefined;
        }
      }),
    ),
  );
}
