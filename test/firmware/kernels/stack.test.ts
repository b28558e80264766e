import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { firmwareIncludes, firmwareSources } from '../../support/firmwareSources';

/** What quantmcu.h promises: for most kernels, and for those that unpack codes, the codes besides. */
const LIMIT = 512;
const COLUMN_LIMIT = 1152;
const columnBytes = 2048;

const root = process.cwd();

/** Who calls functions through pointers, and which: GCC's graphs leave that out. The first caller that fits decides. */
const calledThroughPointers: [caller: RegExp, called: RegExp][] = [
  // The application's function, whose stack is its own.
  [/^qmcu_camera_/, /^$/],
  [/:put$|plain_gather(_two)?$/, /:put_\w+$/],
  [/mve_depthwise_sixteen$|:convolve_border$/, /:qmcu_sixteen_\w+$/],
  [/^qmcu_\w*depthwise/, /:(run_[us][248]|row_\d_\d)$/],
  [/:(qmcu_mve_)?convolve_fours8$|:block_[su]_w8$/, /:qmcu_mve_(odd_)?fours_\w+$/],
];
const OTHER_POINTERS = /:(block_([124su]_)?|pairs_\w*|fours_|eights_|write_(codes|(un)?signed4?))(w[48])?$/;

/** Frames and calls of all functions, from GCC's call graphs. */
class CallGraph {
  private readonly frames = new Map<string, number>();
  private readonly calls = new Map<string, Set<string>>();

  add(text: string): void {
    // GCC titles static functions file:name, so that equal names do not meet.
    for (const [, name, bytes, kind] of text.matchAll(
      /node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \(([^)]*)\)/g,
    )) {
      assert.equal(kind, 'static', `${name} has a frame of variable size`);
      // GCC does not see what naked functions push: ten words, and up to five of their own.
      this.frames.set(name, /qmcu_plain_(rows_\w+|four_rows|scale_sums)$/.test(name) ? 60 : Number(bytes));
    }
    for (const [, from, to] of text.matchAll(/edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/g)) {
      this.calls.set(from, (this.calls.get(from) ?? new Set()).add(to));
    }
  }

  kernels(): string[] {
    return [...this.frames.keys()].filter((name) => /^qmcu_/.test(name));
  }

  /**
   * Deepest stack below and including a function. Calls through pointers go where `calledThroughPointers` says; a
   * function that it does not name calls what its caller would.
   */
  depth(name: string, inherited = OTHER_POINTERS): number {
    if (name === '__indirect_call') {
      const targets = [...this.frames.keys()].filter((f) => inherited.test(f));
      return Math.max(0, ...targets.map((f) => this.depth(f)));
    }
    const pointers = calledThroughPointers.find(([caller]) => caller.test(name))?.[1] ?? inherited;
    return (
      (this.frames.get(name) ?? 0) +
      Math.max(0, ...[...(this.calls.get(name) ?? [])].map((callee) => this.depth(callee, pointers)))
    );
  }
}

describe('stack of the kernels on Cortex-M', function () {
  this.timeout(300_000);

  for (const cpu of ['cortex-m0plus', 'cortex-m3', 'cortex-m4', 'cortex-m7', 'cortex-m55']) {
    for (const level of ['-O2', '-O3', '-Os']) {
      it(`stays within what the header promises on ${cpu} at ${level}`, function () {
        if (spawnSync('arm-none-eabi-gcc', ['--version']).status !== 0) {
          assert.notEqual(process.env.CI, 'true', 'arm-none-eabi-gcc is missing');
          this.skip();
        }
        mkdirSync(path.join(root, 'out'), { recursive: true });
        const folder = mkdtempSync(path.join(root, 'out', 'stack-'));
        try {
          const graph = new CallGraph();
          // Call graphs come with the assembler's text; one compiler's start serves all files.
          const { status, stderr } = spawnSync(
            'arm-none-eabi-gcc',
            [
              `-mcpu=${cpu}`,
              '-mthumb',
              ...(cpu === 'cortex-m55' ? ['-mfloat-abi=hard'] : []),
              level,
              '-std=c99',
              '-fcallgraph-info=su',
              '-S',
              ...firmwareIncludes,
              ...firmwareSources(),
            ],
            { cwd: folder, encoding: 'utf8' },
          );
          assert.equal(status, 0, stderr);
          for (const file of firmwareSources())
            graph.add(readFileSync(path.join(folder, path.basename(file).replace(/\.c$/, '.ci')), 'utf8'));
          const depths = graph.kernels().map((name) => ({ name, bytes: graph.depth(name) }));
          assert.ok(
            depths.length >= 16 && depths.some((d) => d.name === 'qmcu_conv2d' && d.bytes > 100),
            JSON.stringify(depths),
          );
          const limit = (name: string): number => {
            const unpacks =
              /^qmcu_((mve|plain)_)?(conv2d(_s16)?|fully_connected(_twins|_s16)?|convolve_\w+|depthwise\w+)$/;
            return unpacks.test(name) ? COLUMN_LIMIT + columnBytes : LIMIT;
          };
          assert.deepEqual(
            depths.filter((d) => d.bytes > limit(d.name)),
            [],
          );
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      });
    }
  }
});
