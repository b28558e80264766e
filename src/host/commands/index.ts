import * as vscode from 'vscode';
import { isCancellation, showFailure } from '../log';
import type { Services } from '../services';
import { cancel } from './cancel';
import { evaluate } from './evaluate';
import { generate } from './generate';
import { openPlan } from './openPlan';
import { quantize } from './quantize';
import { remove } from './remove';
import { selftest } from './selftest';

type Command = (services: Services, argument: unknown) => Promise<void>;

const commands: Record<string, Command> = {
  'quantmcu.quantize': quantize,
  'quantmcu.generate': generate,
  'quantmcu.evaluate': evaluate,
  'quantmcu.remove': remove,
  'quantmcu.selftest': selftest,
  'quantmcu.openPlan': openPlan,
  'quantmcu.cancel': cancel,
};

/** Registers all commands. A failure is shown to the user and never thrown back at VS Code, which would show it a second time. */
export function registerCommands(services: Services): vscode.Disposable {
  return vscode.Disposable.from(...Object.entries(commands).map(([id, command]) =>
    vscode.commands.registerCommand(id, async (argument: unknown) => {
      try {
        await command(services, argument);
      } catch (error) {
        if (!isCancellation(error)) void showFailure(services.log, id, error);
      }
    })));
}
