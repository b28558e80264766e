import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { GENERATOR } from '../engine/common/generator';
import { CancelledError, UserError } from '../engine/common/errors';
import type { Command } from './command';
import { commands, helpFor } from './commandLine';
import { oneLine, UnsupportedModelError } from '../engine/onnx/problems';
import { visible, visibleJson, visibleLines } from '../engine/common/visible';
import type { Progress } from '../engine/common/progress';

/**
 * Runs one command of the command line: the result goes to standard output, why there is none to standard error.
 * @param argv words after the program's name @returns the exit code
 */
export function main(argv: readonly string[]): Promise<number> {
  return run(argv).catch((error: unknown) => {
    const message =
      error instanceof UserError || error instanceof CancelledError || isSystemError(error)
        ? visible(error.message)
        : `Internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    process.stderr.write(`${message}\n`);
    return 1;
  });
}

async function run(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  const help = helpFor(argv);
  if (help !== null) {
    process.stdout.write(help);
    return name === undefined ? 2 : 0;
  }
  if (name === 'mcp') {
    // Only who asks for it pays for loading it.
    const { serveMcp } = await import('./mcpServer');
    await serveMcp(GENERATOR);
    return 0;
  }
  const command = commands.get(name);
  if (!command) throw new UserError(`Unknown command "${name}". Commands: ${[...commands.keys()].join(', ')}.`);
  const { values, positionals } = parse(command, rest);
  const json = values.json === true;
  const result = await command.run(positionals, values, json ? quiet() : onTerminal()).catch((error: unknown) => {
    if (values.problems !== true || !(error instanceof UserError)) throw error;
    process.stderr.write(problemLines(positionals[0] ?? '', error));
    return null;
  });
  if (result === null) return 1;
  process.stdout.write(`${json ? visibleJson(result.json) : visibleLines(result.text)}\n`);
  return 0;
}

function parse(
  command: Command,
  args: string[],
): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: {
        json: { type: 'boolean' },
        problems: { type: 'boolean' },
        help: { type: 'boolean' },
        ...command.options,
      },
      allowPositionals: true,
    });
    return { values: values, positionals };
  } catch (error) {
    throw new UserError(optionMessage((error as Error).message.split('\n')[0]));
  }
}

/** What Node says of options, with what to do about it. */
function optionMessage(message: string): string {
  const [, option, missing] =
    /^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?' argument (?:is ambiguous|(missing))/.exec(message) ?? [];
  if (option === undefined) return message;
  return missing
    ? `${option} needs a value. "quantmcu help COMMAND" explains the options.`
    : `${option} is followed by "-": write a value that begins with it as ${option}=VALUE, or give it one.`;
}

/**
 * An error as build tools tell theirs: a line `FILE: error: MESSAGE` for each problem, which editors find by a pattern.
 */
function problemLines(file: string, error: UserError): string {
  // Other errors begin with the file that they are about, which is not always the one given.
  const named = /^(.+?): (?=\S)/.exec(error.message)?.[1];
  const about = named !== undefined && /[\\/]/.test(named) && existsSync(named) ? named : path.resolve(file);
  const messages =
    error instanceof UnsupportedModelError
      ? error.problems.map(
          (p) =>
            new UserError(`${oneLine(p.opType) || 'Node'} "${oneLine(p.node)}": ${oneLine(p.message)}. ${p.remedy}`)
              .message,
        )
      : [error.message];
  return messages.map((message) => `${about}: error: ${message}\n`).join('');
}

function quiet(): Progress {
  return { report: () => undefined, isCancelled: () => false };
}

/** One line on stderr that is rewritten, where stderr is a terminal. */
function onTerminal(): Progress {
  if (!process.stderr.isTTY) return quiet();
  let last = 0;
  return {
    report: (stage, done, total) => {
      const now = Date.now();
      if (now - last < 100 && done !== total) return;
      last = now;
      process.stderr.write(
        `\r\x1b[K${visible(stage)}${total > 0 ? ` ${done}/${total}` : ''}${done === total ? '\n' : ''}`,
      );
    },
    isCancelled: () => false,
  };
}

/** The system refused something, e.g. a disk that fails: its message names the file, a stack trace would add nothing.
 * */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
