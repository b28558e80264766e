import * as path from 'node:path';
import * as vscode from 'vscode';
import { projectOf } from '../commands/projectMemory';
import { modelUriOf, nameOf } from '../planFiles';
import { argumentsOf, tasksOf, type TaskDefinition } from './planTasks';

/** Tasks of type `quantmcu`: the command line in a build, each argument passed unchanged, without a shell. */
class QuantMcuTasks implements vscode.TaskProvider {
  /** @param cli absolute path of the bundled command line */
  constructor(
    private readonly cli: string,
    private readonly memory: vscode.Memento,
  ) {}

  async provideTasks(): Promise<vscode.Task[]> {
    const plans = await vscode.workspace.findFiles('**/*.quantmcu.json', '**/{node_modules,build,out}/**', 100);
    const tasks = await Promise.all(
      plans.map(async (plan) => {
        const folder = vscode.workspace.getWorkspaceFolder(plan);
        if (!folder) return [];
        const relative = (file: string): string => path.relative(folder.uri.fsPath, file).split(path.sep).join('/');
        const model = await modelUriOf(plan);
        const project = model && projectOf(this.memory, model);
        const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(plan));
        return tasksOf(relative(plan.fsPath), text, project === undefined ? undefined : relative(project)).flatMap(
          (definition) => this.taskOf(definition, folder) ?? [],
        );
      }),
    );
    return tasks.flat();
  }

  resolveTask(task: vscode.Task): vscode.Task | undefined {
    const folder = typeof task.scope === 'object' ? task.scope : vscode.workspace.workspaceFolders?.[0];
    // VS Code wants back the definition object that it gave.
    return folder && this.taskOf(task.definition as vscode.TaskDefinition & TaskDefinition, folder);
  }

  private taskOf(definition: TaskDefinition, folder: vscode.WorkspaceFolder): vscode.Task | undefined {
    const args = argumentsOf(definition);
    if (!args) return undefined;
    // The extension host's own program, told to be Node where it is Electron.
    const execution = new vscode.ProcessExecution(process.execPath, [this.cli, ...args], {
      cwd: folder.uri.fsPath,
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
    const name = `${definition.command} ${nameOf(vscode.Uri.file(definition.file))}`;
    const task = new vscode.Task(definition, folder, name, 'quantmcu', execution, '$quantmcu');
    if (definition.command === 'quantize' || definition.command === 'generate') task.group = vscode.TaskGroup.Build;
    if (definition.command === 'selftest') task.group = vscode.TaskGroup.Test;
    return task;
  }
}

export function registerTasks(cli: string, memory: vscode.Memento): vscode.Disposable {
  return vscode.tasks.registerTaskProvider('quantmcu', new QuantMcuTasks(cli, memory));
}
