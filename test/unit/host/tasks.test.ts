import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { argumentsOf, tasksOf, type TaskDefinition } from '../../../src/host/tasks/planTasks';

const plan = JSON.stringify({
  model: { file: 'net.onnx' },
  preprocess: { preset: 'unit' },
  target: { id: 'nano33ble', sramBytes: 65536, flashBytes: 1000 },
  search: { phi: 0.99, lambda: 0.5, epsilon: 0.01, bits: [8, 4], weights: 'auto' },
  calibration: { folder: '../photos' },
});

describe('tasks', () => {
  it('make a plan again as it was made, generate and test its sources', () => {
    const tasks = tasksOf('models/net.quantmcu.json', plan, 'firmware');
    assert.deepEqual(
      tasks.map(({ command, file }) => [command, file]),
      [
        ['quantize', 'models/net.onnx'],
        ['generate', 'models/net.quantmcu.json'],
        ['selftest', 'models/net.quantmcu.json'],
      ],
    );
    assert.deepEqual(argumentsOf(tasks[0]), [
      'quantize',
      '--images=photos',
      '--preprocess=unit',
      '--target=nano33ble',
      '--sram=65536',
      '--flash=1000',
      '--search=entropy',
      '--phi=0.99',
      '--lambda=0.5',
      '--epsilon=0.01',
      '--bits=8,4',
      '--weights=auto',
      '--out=models/net.quantmcu.json',
      '--problems',
      '--',
      'models/net.onnx',
    ]);
    assert.deepEqual(argumentsOf(tasks[1]), [
      'generate',
      '--project=firmware',
      '--edit-build',
      '--problems',
      '--',
      'models/net.quantmcu.json',
    ]);
    assert.deepEqual(
      tasksOf('net.quantmcu.json', plan, undefined).map(({ command }) => command),
      ['quantize', 'selftest'],
    );
  });

  it('search again as they searched: to a target, or within a budget up to what was tried', () => {
    const again = (search: object): string[] =>
      argumentsOf(
        tasksOf(
          'net.quantmcu.json',
          JSON.stringify({
            ...(JSON.parse(plan) as object),
            search: { method: 'sensitivity', lambda: 0.5, ...search },
          }),
          undefined,
        )[0],
      )!.filter((a) => /search|target=\d|budget|lambda/.test(a));
    assert.deepEqual(again({ bitOpsTarget: 2.2 }), ['--search=sensitivity', '--bitops-target=2.2']);
    assert.deepEqual(again({ bitOpsTarget: 1.7, accuracyBudget: 1, mostReduction: 2.2 }), [
      '--search=sensitivity',
      '--bitops-target=2.2',
      '--accuracy-budget=1',
    ]);
    assert.deepEqual(again({ bitOpsTarget: 1.7, accuracyBudget: 1 }), ['--search=sensitivity', '--accuracy-budget=1']);
  });

  it('leave out what cannot be made again, and are none for what is no plan', () => {
    const { preprocess: _, ...own } = JSON.parse(plan) as Record<string, unknown>;
    assert.deepEqual(
      tasksOf('net.quantmcu.json', JSON.stringify(own), undefined).map(({ command }) => command),
      ['selftest'],
    );
    assert.deepEqual(tasksOf('net.quantmcu.json', '{', ''), []);
  });

  it('hand over a file as one argument that is never an option, whatever its name', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (file, value) => {
        const args = argumentsOf({
          type: 'quantmcu',
          command: 'generate',
          file,
          options: { project: value, 'dry-run': true, 'edit-build': false },
        })!;
        assert.deepEqual(args, ['generate', `--project=${value}`, '--dry-run', '--problems', '--', file]);
      }),
    );
  });

  it('are none for another command or what is no option', () => {
    const task = (change: Partial<Record<keyof TaskDefinition, unknown>>): unknown =>
      argumentsOf({ type: 'quantmcu', command: 'inspect', file: 'a', ...change } as TaskDefinition);
    assert.ok(task({}));
    for (const change of [
      { command: 'rm' },
      { command: undefined },
      { file: '' },
      { file: 3 },
      { options: { '-x': 'y' } },
      { options: { 'A=B': 'y' } },
      { options: null },
    ])
      assert.equal(task(change), undefined, JSON.stringify(change));
  });
});
