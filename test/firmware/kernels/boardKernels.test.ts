import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Executor } from '../../../src/engine/program/interpreter';
import { Random } from '../../unit/program/interpreter/support/random';
import { allWays, randomProgram } from '../../unit/program/interpreter/support/randomSteps';
import { firmwareIncludes, firmwareSources } from '../../support/firmwareSources';
import { buildForBoard, runOnBoard, type BoardRun, type Core } from '../board/board';
import { removeFolder, scratchFolder } from '../support/hostBuild';
import { encodeCases } from './encode';

const root = process.cwd();
const here = path.join(root, 'test/firmware/kernels');

/** Set to repeat a failing run; otherwise every run takes other cases. */
const seed = Number(process.env.QUANTMCU_KERNEL_SEED ?? Date.now() % 2 ** 31);
const casesPerOp = Number(process.env.QUANTMCU_KERNEL_CASES ?? 60);

/** One core of each set of inner loops, at the levels that generated projects are built with. */
const levels: [Core, string[]][] = [
  ['m0plus', ['-O3', '-Os']],
  ['m3', ['-O3', '-Os']],
  ['m4', ['-O2']],
  ['m55', ['-O3', '-Os']],
  ['rv32imac', ['-O2', '-Os']],
];
const builds = levels.flatMap(([core, of]) => of.map((level) => ({ core, level })));

describe(`kernels on emulated cores against the reference interpreter (QUANTMCU_KERNEL_SEED=${seed})`, function () {
  this.timeout(300_000);
  let folder: string;
  const batches = new Map<string, Uint8Array[]>();

  before(() => {
    folder = scratchFolder('board-kernels');
    allWays.forEach(({ name, op, wide }, number) => {
      const cases = Array.from({ length: casesPerOp }, (_, i) => {
        const program = randomProgram(seed + number * 1_000_003 + i, op, 1, wide);
        return { program, arena: new Random(~(seed + i)).bytes(program.arenaBytes) };
      });
      writeFileSync(path.join(folder, `${number}.cases`), encodeCases(cases));
      batches.set(
        name,
        cases.map(({ program, arena }) => new Executor(program).run([arena]).outputs[0]),
      );
    });
  });

  after(() => removeFolder(folder));

  for (const { core, level } of builds) {
    describe(`${core} ${level}`, () => {
      let run: BoardRun;
      const elf = (): string => path.join(folder, `${core}${level}.elf`);

      /** All kernels in one start of the emulator, which takes longer than the cases of one. */
      before(() => {
        const harness = ['harness.c', 'harness_board.c'].map((f) => path.join(here, f));
        buildForBoard(core, [...firmwareSources(), ...harness], elf(), [
          '-std=c11',
          level,
          ...firmwareIncludes,
          `-I${here}`,
        ]);
        // Those of the build before.
        allWays.forEach((_, number) => rmSync(path.join(folder, `${number}.results`), { force: true }));
        run = runOnBoard(core, elf(), {
          cwd: folder,
          args: allWays.flatMap((_, number) => [
            `${number}.cases`,
            `${number}.results`,
            String(statSync(path.join(folder, `${number}.cases`)).size),
          ]),
        });
      });

      it('come to an end', () => assert.equal(run.exitCode, 0, run.output));

      allWays.forEach(({ name }, number) => {
        it(`${name}: the same arena, byte for byte`, () => {
          const actual = readFileSync(path.join(folder, `${number}.results`));
          let offset = 0;
          batches.get(name)!.forEach((arena, i) => {
            const got = actual.subarray(offset, offset + arena.length);
            const wrong = arena.findIndex((byte, at) => byte !== got[at]);
            assert.equal(
              wrong,
              -1,
              `case ${i}, seed ${seed + number * 1_000_003 + i}: byte ${wrong} is ${got[wrong]} ` +
                `instead of ${arena[wrong]}`,
            );
            offset += arena.length;
          });
          assert.equal(actual.length, offset);
        });
      });
    });
  }
});
