import assert from 'node:assert/strict';
import * as path from 'node:path';
import { renderC, selftestChecks } from '../../src/engine/codegen';
import type { RenderOptions } from '../../src/engine/codegen';
import { randomProgram } from '../support/randomProgram';
import { compile, putFiles, runCommand, sanitizerFlags, scratchForEach } from './support/hostBuild';
import { provenance } from './support/reference';

describe('self-test by checksums', function () {
  this.timeout(300_000);
  const folder = scratchForEach('selftest');

  const run = (seed: number, checks: RenderOptions['checks'], main: string): string => {
    const files = renderC(randomProgram(seed), { name: 'net', checks, provenance });
    const sources = putFiles(folder(), [...files, { path: 'main.c', text: main }]);
    compile('gcc', sources, path.join(folder(), 'main'), ['-O1', ...sanitizerFlags]);
    return runCommand(path.join(folder(), 'main'), []);
  };

  const main = `#include <stdio.h>
#include "net.h"
static NET_ARENA(arena);
int main(void) {
    int32_t step = -2;
    const int result = net_selftest_steps(arena, &step);
    printf("%d %d %d %d", result, (int)step, net_selftest(arena), net_selftest(NULL));
    return 0;
}
`;

  it('finds in every step what the interpreter computes from the same input', () => {
    for (const seed of [2, 4, 6]) {
      const checks = selftestChecks(randomProgram(seed));
      assert.ok(checks.hashes.every((hash) => hash !== 0));
      assert.equal(run(seed, checks, main), '0 -1 0 1', `seed ${seed}`);
    }
  });

  it('names the first step that differs', () => {
    const checks = selftestChecks(randomProgram(4));
    for (const wrong of [0, checks.hashes.length - 1]) {
      const hashes = checks.hashes.map((hash, i) => (i >= wrong ? hash ^ 1 : hash) >>> 0);
      const step = Math.min((wrong + 1) * checks.every, checks.steps) - 1;
      assert.equal(run(4, { ...checks, hashes }, main), `3 ${step} 3 1`);
    }
  });

  it('calls a watcher after every step, which may end the inference', () => {
    const checks = selftestChecks(randomProgram(4));
    const output = run(
      4,
      checks,
      `#include <stdio.h>
#include <string.h>
#include "net.h"
static NET_ARENA(arena);
static int calls;
static int after(void *context, int32_t step, const net_qmcu_map *output) {
    (void)output;
    if (step != calls++) return 2;
    return step == *(const int *)context;
}
int main(void) {
    const int steps[3] = {0, NET_STEPS - 1, NET_STEPS};
    for (int i = 0; i < 3; i++) {
        const net_qmcu_watch watch = {after, (void *)(uintptr_t)&steps[i]};
        calls = 0;
        const int result = net_invoke_watched(arena, &watch);
        printf("%d %d ", result == NET_ERROR_ENDED, calls == (steps[i] < NET_STEPS ? steps[i] + 1 : NET_STEPS));
    }
    return 0;
}
`,
    );
    assert.equal(output, '1 1 1 1 0 1 ');
  });
});
