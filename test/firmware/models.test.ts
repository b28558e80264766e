import assert from 'node:assert/strict';
import { goldenInputs } from '../../src/engine/run/generate';
import type { Program } from '../../src/engine/program/types';
import { runGeneratedOnBoard } from './support/boardBuild';
import {
  buildForHost,
  removeFolder,
  shortSanitizerFlags,
  scratchFolder,
  type HostBuildOptions,
} from './support/hostBuild';
import { calibrateModel, patchModes, realModels } from './support/realModels';
import { reference, toHex } from './support/reference';

/** Compiles a program for this computer and compares it with the interpreter. */
function checkOnHost(program: Program, count: number, options: HostBuildOptions): void {
  const { inputs, outputs, files } = reference(program, count, 1, (i) => goldenInputs(program, i + 1));
  const folder = scratchFolder(program.name);
  const result = buildForHost(folder, program, files, options).run(inputs);
  assert.deepEqual(toHex(result.outputs), toHex(outputs), `sources in ${folder}`);
  assert.equal(result.selftest, 0);
  assert.ok(result.guardsWhole, 'guard bytes around the arena');
  assert.ok(result.lastByteUsed, 'last byte of the arena');
  assert.ok(new Set(toHex(outputs).map((o) => o.join())).size > 1, 'different inputs must give different outputs');
  removeFolder(folder);
}

describe('real models as C', function () {
  this.timeout(900_000);

  /** Clang: GCC takes twice as long for unrolled kernels with sanitizers. */
  const sanitized = { compiler: 'clang', flags: ['-O1', ...shortSanitizerFlags] } as const;
  const plain = { flags: ['-O2'] };

  realModels.forEach((entry, index) => {
    it(`${entry.file} equals the interpreter at 8 bits`, async function () {
      checkOnHost((await calibrateModel(this, entry)).plain(), entry.large ? 4 : 20, plain);
    });

    // With batch normalization folded it is the network above.
    if (entry.file.endsWith('_bn.onnx')) return;
    it(`${entry.file} equals the interpreter in mixed precision by patches`, async function () {
      const model = await calibrateModel(this, entry);
      for (const mode of entry.large ? patchModes.slice(2) : patchModes) {
        const withSanitizers = !entry.large && mode === patchModes[index % patchModes.length];
        checkOnHost(model.mixed(mode, 2), entry.large ? 3 : 12, withSanitizers ? sanitized : plain);
      }
    });
  });

  const onBoards = [
    { file: 'resnet8_cifar10_mlperf.onnx', core: 'm0plus', modes: patchModes },
    { file: 'vww_mobilenetv1_0.25_96_mlperf.onnx', core: 'm0plus', modes: patchModes },
    // GCC takes longest for the kernels made for each of these Programs: the networks share the modes out.
    { file: 'resnet8_cifar10_mlperf.onnx', core: 'm4', modes: ['recompute'] },
    { file: 'vww_mobilenetv1_0.25_96_mlperf.onnx', core: 'm4', modes: ['keep', 'runtime'] },
  ] as const;
  for (const { file, core, modes } of onBoards) {
    it(`${file} equals the interpreter on an emulated ${core}`, async function () {
      const model = await calibrateModel(
        this,
        realModels.find((m) => m.file === file)!,
      );
      for (const program of [model.plain(), ...modes.map((mode) => model.mixed(mode, 2))]) {
        const { inputs, outputs, files } = reference(program, 2, 1, (i) => goldenInputs(program, i + 1));
        const folder = scratchFolder(core);
        const result = runGeneratedOnBoard(folder, core, program, files, inputs);
        assert.deepEqual(toHex(result.outputs), toHex(outputs), `sources in ${folder}`);
        assert.equal(result.selftest, 0);
        removeFolder(folder);
      }
    });
  }
});
