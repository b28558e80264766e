import assert from 'node:assert/strict';
import type { Usage } from '../../../src/engine/codegen/usageTypes';
import { includesHeader, usageInsertions } from '../../../src/host/sources/usageInsertion';

const usage: Usage = { includes: ['<string.h>', '"net.h"'], code: 'static NET_ARENA(net_arena);\n' };

function inserted(source: string): string {
  return [...usageInsertions(source, usage)]
    .sort((a, b) => b.offset - a.offset)
    .reduce((text, { offset, text: more }) => text.slice(0, offset) + more + text.slice(offset), source);
}

describe('inserting the code that runs a network', () => {
  it('goes behind the last include outside of conditions, and repeats none', () => {
    const source =
      '/* main */\n#include <stdint.h>\n#ifdef X\n#include "x.h"\n#endif\n#include <string.h>\n\n' +
      'int main(void) { return 0; }\n';
    assert.equal(
      inserted(source),
      '/* main */\n#include <stdint.h>\n#ifdef X\n#include "x.h"\n#endif\n#include <string.h>\n#include "net.h"\n\n' +
        'static NET_ARENA(net_arena);\n\nint main(void) { return 0; }\n',
    );
  });

  it('goes into the sections that STM32CubeMX keeps', () => {
    const source =
      '#include "main.h"\n/* USER CODE BEGIN Includes */\n\n/* USER CODE END Includes */\nvoid f(void);\n' +
      '/* USER CODE BEGIN 0 */\n\n/* USER CODE END 0 */\nint main(void)\n{\n}\n';
    assert.equal(
      inserted(source),
      '#include "main.h"\n/* USER CODE BEGIN Includes */\n#include <string.h>\n#include "net.h"\n\n' +
        '/* USER CODE END Includes */\nvoid f(void);\n/* USER CODE BEGIN 0 */\nstatic NET_ARENA(net_arena);\n\n' +
        '/* USER CODE END 0 */\nint main(void)\n{\n}\n',
    );
  });

  it('keeps the ends of lines, and a license at the beginning', () => {
    assert.equal(
      inserted('// license\r\n// more\r\nint main() {}\r\n'),
      '// license\r\n// more\r\n#include <string.h>\r\n#include "net.h"\r\n\r\n' +
        'static NET_ARENA(net_arena);\r\nint main() {}\r\n',
    );
    assert.equal(
      inserted('#include "a.h"'),
      '#include "a.h"\n#include <string.h>\n#include "net.h"\n\nstatic NET_ARENA(net_arena);\n',
    );
  });

  it('knows a source that has it', () => {
    assert.equal(includesHeader('  # include "net.h"\n', usage), true);
    assert.equal(includesHeader('#include "nets.h"\n', usage), false);
  });
});
