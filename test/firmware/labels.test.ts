import assert from 'node:assert/strict';
import * as path from 'node:path';
import { renderC } from '../../src/engine/codegen';
import { ProgramBuilder } from '../support/programBuilder';
import { compile, putFiles, removeFolder, runCommand, scratchFolder } from './support/hostBuild';

describe("classes' names in the header", function () {
  this.timeout(120_000);

  function header(labels: readonly string[]): string {
    const p = new ProgramBuilder();
    const from = p.buffer('input', 1, 1, 4, 8, true);
    const to = p.buffer('map', 1, 1, 4, 8, true);
    p.step(0, { op: 'copy' }, [p.all(from)], p.all(to));
    p.output(to);
    const files = renderC(p.build('net'), {
      name: 'net',
      provenance: { generator: 'test', planHash: '', modelFile: '' },
      facts: { macs: 0, cycles: null, input: '', labels },
    });
    return files.find((f) => f.path === 'net.h')!.text;
  }

  it('are what a C program reads from the macro, whatever stands in them', () => {
    const labels = ['plain', 'a "quoted" \\ name', '*/ ??/ %s \n', 'Käse 猫'];
    const folder = scratchFolder('labels');
    const text = /#define NET_LABELS \\\n(?:.*\\\n)*.*\n/.exec(header(labels));
    assert.ok(text, 'the header has no labels');
    const main =
      `#include <stdio.h>\n${text[0]}\nstatic const char *const labels[4] = NET_LABELS;\n` +
      'int main(void)\n{\n    for (int i = 0; i < 4; i++) {\n        printf("%s", labels[i]);\n' +
      "        putchar('\\0');\n    }\n    return 0;\n}\n";
    const program = path.join(folder, 'labels');
    compile('gcc', putFiles(folder, [{ path: 'main.c', text: main }]), program);
    assert.deepEqual(runCommand(program, []).split('\0').slice(0, 4), labels);
    removeFolder(folder);
  });

  it('are left out where there are not as many as the output has channels', () => {
    assert.ok(!header(['one', 'two']).includes('NET_LABELS'));
  });
});
