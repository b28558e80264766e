import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { commands, helpFor } from '../../../src/cli/commandLine';
import { UserError } from '../../../src/engine/common/errors';

const COMMON = ['json', 'problems', 'help'];

/** The options that a text names. */
const named = (text: string): string[] => [...text.matchAll(/--([a-z][a-z-]*)/g)].map(([, option]) => option);

describe('help of the command line', () => {
  for (const [name, command] of commands) {
    const help = helpFor(['help', name])!;
    const [head, tail] = help.split('\nOptions:\n');
    const [options, example] = tail.split('\n\nExample:\n');
    const listed = options.split('\n').flatMap((line) => /^ {2}--([a-z-]+)/.exec(line)?.[1] ?? []);

    it(`of ${name} lists its options, and the synopsis names the same ones`, () => {
      const own = Object.keys(command.options);
      assert.deepEqual(listed, [...own, ...COMMON]);
      assert.deepEqual([...new Set(named(command.synopsis))].sort(), own.sort());
      assert.ok(head.startsWith(`quantmcu ${name}`), head);
      assert.doesNotMatch(help, /undefined/);
      for (const line of help.split('\n')) assert.ok(line.length <= 100 || line.startsWith('  quantmcu '), line);
    });

    it(`of ${name} has an example that the command accepts, with all that is required`, () => {
      const [, ...args] = example.trim().split(' ').slice(1);
      const { values, positionals } = parseArgs({ args, options: command.options, allowPositionals: true });
      assert.equal(positionals.length, /^\S+ [A-Z]/.test(command.synopsis) ? 1 : 0);
      const required = options.split(/\n(?= {2}--)/).filter((option) => option.includes('(required)'));
      for (const [option] of required.map(named)) assert.ok(option in values, `--${option}`);
    });

    it(`of ${name} is what ${name} --help prints`, () => assert.equal(helpFor([name, 'x', '--help']), help));
  }

  it('tells defaults', () => {
    assert.match(helpFor(['help', 'quantize'])!, /--phi F +share of[^(]*\(default: 0\.999\)/);
    assert.match(helpFor(['help', 'selftest'])!, /--core m0plus\|m3[^(]*\(default: m4\)/);
  });

  it('tells the version', () => {
    for (const argv of [['version'], ['--version']]) assert.match(helpFor(argv)!, /^QuantMCU \d+\.\d+\.\d+\n$/);
  });

  it('of all commands without one; a command that does not exist is told with those that do', () => {
    for (const argv of [[], ['help'], ['--help'], ['-h']]) assert.match(helpFor(argv)!, /"quantmcu help COMMAND"/);
    assert.equal(helpFor(['quantize', 'model.onnx']), null);
    assert.throws(
      () => helpFor(['help', 'quantise']),
      (e) => e instanceof UserError && /Unknown command "quantise"\. Commands: inspect, fit, quantize/.test(e.message),
    );
  });
});
