import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { renderC } from '../../../src/engine/codegen';
import type { GeneratedFile, RenderOptions } from '../../../src/engine/codegen';
import { packNibbles } from '../../../src/engine/codegen/weights/packing';
import { runtimeSources } from '../../../src/engine/codegen/runtimeSources';
import type { Program } from '../../../src/engine/program/types';
import { ProgramBuilder } from '../../support/programBuilder';
import { projectRoot } from '../../support/paths';
import { randomProgram } from '../../support/randomProgram';

const options: RenderOptions = {
  name: 'net',
  provenance: { generator: 'QuantMCU 0.1.0', planHash: '00ff', modelFile: 'net.onnx' },
};

/** Two branches that copy the halves of a map, and one table by two names. */
function branchesThatShare(): Program {
  const p = new ProgramBuilder();
  const from = p.buffer('input', 4, 4, 2, 8, true);
  const to = p.buffer('map', 4, 4, 2, 8, true);
  for (const [branch, y0] of [
    [0, 0],
    [1, 2],
  ] as const) {
    const region = { y0, x0: 0, y1: y0 + 2, x1: 4 };
    p.branches.push({ id: branch, row: branch, col: 0, patch: region, class: 'regular' });
    const offset = p.constant('table', 32, Int32Array.of(5, 6), [2]);
    p.step(
      0,
      { op: 'requantize', sum: { multipliers: [64], offset: { constant: offset }, shift: 6, min: -128, max: 127 } },
      [{ ...p.all(from), region }],
      { ...p.all(to), region },
      { branch },
    );
  }
  p.output(to);
  return p.build('net');
}

function text(files: readonly GeneratedFile[], file: string): string {
  return files.find((f) => f.path === file)!.text;
}

describe('renderC', () => {
  it('bundles every file of the runtime', () => {
    assert.deepEqual(
      Object.keys(runtimeSources).sort(),
      readdirSync(path.join(projectRoot, 'src/firmware'), { recursive: true, encoding: 'utf8' })
        .filter((f) => /\.[ch]$/.test(f))
        .map((f) => path.basename(f))
        .sort(),
    );
  });

  it('gives equal bytes for equal arguments, in a stable order', () => {
    const [a, b] = [renderC(randomProgram(7), options), renderC(randomProgram(7), options)];
    assert.deepEqual(a, b);
    assert.deepEqual(
      a.map((f) => f.path),
      a.map((f) => f.path).sort(),
    );
  });

  it('takes only the kernels that the program calls', () => {
    const paths = renderC(branchesThatShare(), options).map((f) => f.path);
    assert.ok(paths.includes('net_qmcu_elementwise.c'));
    assert.ok(!paths.includes('net_qmcu_conv2d.c'));
  });

  it('shares parameters and tables between branches', () => {
    const files = renderC(branchesThatShare(), options);
    assert.equal(text(files, 'net.c').match(/static const net_qmcu_scaled_sum/g)?.length, 1);
    assert.equal(text(files, 'net_weights.c').match(/const int32_t/g)?.length, 1);
    assert.match(text(files, 'net.h'), /#define NET_TABLE_BYTES 8\n/);
    assert.match(text(files, 'net.c'), /\/\* Branch 0: [^]*\{&requantize_0, [^]*\/\* Branch 1: [^]*\{&requantize_0, /);
  });

  it('names layers and nodes in comments, whatever their names', () => {
    const layers = [
      {
        name: 'evil */ int x; /*',
        onnx: [
          { name: 'n', opType: 'Conv' },
          { name: 'm', opType: 'Re\nlu' },
        ],
      },
    ];
    const source = text(renderC(branchesThatShare(), { ...options, layers }), 'net.c');
    assert.match(source, /\/\* Layer 0: evil \* \/ int x; \/ \* \(Conv \+ Re\\u\{A\}lu\) \*\//);
  });

  it("leaves no symbol of the runtime without the model's name", () => {
    for (const { path: file, text: source } of renderC(randomProgram(3), options)) {
      if (file === 'quantmcu_port.h') continue;
      const code = source.replace(/\/\*[\s\S]*?\*\//g, '');
      assert.deepEqual(code.match(/(?<![\w"])qmcu_\w+/g), null, file);
    }
  });

  it('refuses a program that reaches outside of a buffer or a table', () => {
    const p = new ProgramBuilder();
    const from = p.buffer('input', 2, 2, 1, 8, false);
    const to = p.buffer('map', 2, 2, 1, 8, false);
    p.step(0, { op: 'copy' }, [{ ...p.all(from), region: { y0: 0, x0: 0, y1: 3, x1: 2 } }], p.all(to));
    p.output(to);
    assert.throws(() => renderC(p.build('net'), options), /outside of buffer 'buffer 0'/);
  });

  it('packs 4-bit weights low nibble first, rows on bytes', () => {
    assert.deepEqual(packNibbles([1, -1, 7, -7, 0, 2], 3), Uint8Array.of(0xf1, 0x07, 0x09, 0x02));
  });
});
