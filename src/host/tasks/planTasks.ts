import * as path from 'node:path';

/** A task as tasks.json has it: a command of the command line on a file. */
export interface TaskDefinition {
  readonly type: 'quantmcu';
  readonly command: string;
  /** Relative to the workspace folder. */
  readonly file: string;
  /** Options without their dashes; true means one without a value, false means none. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
}

const COMMANDS = ['quantize', 'generate', 'selftest', 'evaluate', 'inspect'];

/**
 * The command line of a task; undefined for what is none. No shell is involved: each argument reaches the program
 * unchanged.
 */
export function argumentsOf(definition: Partial<TaskDefinition>): string[] | undefined {
  const { command, file, options = {} } = definition;
  if (
    typeof command !== 'string' ||
    !COMMANDS.includes(command) ||
    typeof file !== 'string' ||
    file === '' ||
    typeof options !== 'object' ||
    options === null
  )
    return undefined;
  const args: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (!/^[a-z][a-z-]*$/.test(name)) return undefined;
    // With '=': a value may begin with a dash.
    if (value === true) args.push(`--${name}`);
    else if (value !== false) args.push(`--${name}=${String(value)}`);
  }
  return [command, ...args, '--problems', '--', file];
}

/** What a sidecar tells about its own making; everything else is checked when it is used. */
interface PlanHead {
  readonly model?: { readonly file?: unknown };
  readonly preprocess?: { readonly preset?: unknown };
  readonly target?: {
    readonly id?: unknown;
    readonly sramBytes?: unknown;
    readonly flashBytes?: unknown;
    readonly core?: unknown;
    readonly input?: unknown;
  };
  readonly search?: {
    readonly method?: unknown;
    readonly mostReduction?: unknown;
    readonly accuracyBudget?: unknown;
    readonly phi?: unknown;
    readonly lambda?: unknown;
    readonly epsilon?: unknown;
    readonly bits?: unknown;
    readonly weights?: unknown;
    readonly bitOpsTarget?: unknown;
    readonly objective?: unknown;
    readonly latencyBudget?: unknown;
  };
  readonly calibration?: { readonly folder?: unknown };
}

/**
 * Tasks that a plan suggests: make it again as it was made, and generate and test its C.
 * @param plan path of the sidecar, relative to the workspace folder, with '/' separators
 * @param project where its sources last went, relative to the workspace folder
 */
export function tasksOf(plan: string, text: string, project: string | undefined): TaskDefinition[] {
  let head: PlanHead;
  try {
    head = (JSON.parse(text) ?? {}) as PlanHead;
  } catch {
    return [];
  }
  const { model, preprocess, target, search, calibration } = head;
  const task = (command: string, file: string, options: TaskDefinition['options']): TaskDefinition => ({
    type: 'quantmcu',
    command,
    file,
    options,
  });
  const beside = (file: string): string => path.posix.join(path.posix.dirname(plan), file);
  const known = (value: unknown): value is string | number =>
    (typeof value === 'string' && value !== '') || typeof value === 'number';
  const tasks: TaskDefinition[] = [];
  if (known(model?.file) && known(calibration?.folder) && known(preprocess?.preset) && known(target?.id)) {
    const measured = search?.method === 'sensitivity';
    const all: Record<string, unknown> = {
      images: path.isAbsolute(String(calibration.folder)) ? calibration.folder : beside(String(calibration.folder)),
      preprocess: preprocess.preset,
      target: target.id,
      sram: target.sramBytes,
      flash: target.flashBytes,
      core: target.core,
      input: target.input,
      search: measured ? 'sensitivity' : 'entropy',
      phi: search?.phi,
      lambda: measured ? undefined : search?.lambda,
      epsilon: search?.epsilon,
      bits: Array.isArray(search?.bits) ? search.bits.join(',') : undefined,
      weights: search?.weights,
      objective: measured ? (search?.objective ?? 'bitops') : undefined,
      'latency-budget': search?.latencyBudget,
      'bitops-target': search?.accuracyBudget === undefined ? search?.bitOpsTarget : search.mostReduction,
      'accuracy-budget': search?.accuracyBudget,
      out: plan,
    };
    tasks.push(
      task(
        'quantize',
        beside(String(model.file)),
        Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string | number] => known(entry[1]))),
      ),
    );
  }
  if (project !== undefined)
    tasks.push(task('generate', plan, { project: project === '' ? '.' : project, 'edit-build': true }));
  tasks.push(task('selftest', plan, { core: 'm4' }));
  return tasks;
}
