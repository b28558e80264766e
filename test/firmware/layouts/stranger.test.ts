import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { writeToProject } from '../../../src/engine/codegen';
import { randomProgram } from '../../support/randomProgram';
import { putFiles, runCommand, scratchForEach } from '../support/hostBuild';
import { reference } from '../support/reference';
import { fixtures, mainBefore } from './fixtures';

/*
 * From an empty project to an inference: all that people write themselves, beside what generating writes and edits. The
 * projects stand on stand-ins of the SDKs (fixtures.ts); realSdks.test.ts builds on those of the makers.
 */

/** Lines of code that a firmware gains, braces alone not counted. */
function ownLines(before: string, after: string): string[] {
  const had = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !had.has(line) && /[\w]/.test(line));
}

/** @param expected what the simulator gives as the output's first byte */
const main = (include: string, expected: number): string => `#include <string.h>
${include}
static NET_ARENA(arena);

int main(void)
{
    if (net_selftest(arena) != NET_OK)
        return 1;
    memset(net_input(arena), 9, NET_INPUT_BYTES);
    if (net_invoke(arena) != NET_OK)
        return 2;
    return (uint8_t)net_output(arena)[0] == ${expected} ? 0 : 3;
}
`;

/** Of a network with one input of 8 bits. */
const seed = 13;

describe('integration by somebody who sees it for the first time', function () {
  this.timeout(600_000);
  const folder = scratchForEach('stranger');

  for (const layout of ['cubemx-cmake', 'cubemx-make', 'pico-sdk', 'zephyr'])
    it(`${layout}: takes at most ten lines of their own to a running inference`, async () => {
      const program = randomProgram(seed);
      const bytes = program.buffers[program.inputs[0].buffer].bytes;
      const { sources, outputs } = reference(program, 1, 1, () => [new Uint8Array(bytes).fill(9)]);
      const fixture = fixtures.find((f) => f.layout === layout)!;
      putFiles(folder(), [...fixture.files, { path: fixture.main, text: mainBefore }]);
      const { include, instructions } = await writeToProject(folder(), 'net', sources, { editBuildFiles: true });
      assert.deepEqual(instructions, [], 'something is left to be done by hand');
      const after = main(include, outputs[0][0][0]);
      assert.ok(ownLines(mainBefore, after).length <= 10, ownLines(mainBefore, after).join('\n'));
      writeFileSync(path.join(folder(), fixture.main), after);
      for (const [command, ...args] of fixture.build) runCommand(command, args, { cwd: folder() });
      runCommand(path.join(folder(), fixture.program), []);
    });
});
