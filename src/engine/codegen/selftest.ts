import type { Program } from '../program/types';
import { HASH_BASIS, HASH_PRIME, type Checks } from './checks';
import { banner } from './header';
import { macroPrefix } from './identifier';
import { comesInTiles, externalInputs, lentInputs, portSuffix, selftestSignature, watchedCall } from './inputs';
import { wrapItems } from './text';
import type { RenderOptions } from './types';

/**
 * `<name>_selftest.c`: the self-test by checksums, in a separate file so that linkers leave it out unless it is called.
 * Inputs are in the arena, come in tiles, or go into memory that the application lends.
 */
export function renderSelftest(program: Program, checks: Checks, options: RenderOptions): string {
  const { name, provenance } = options;
  const { every } = checks;
  const hex = checks.hashes.map((hash) => `0x${hash.toString(16).padStart(8, '0')}u`);
  return `${banner(`${name}: self-test.`, provenance)}#include "${name}.h"

#include <stddef.h>

/* FNV-1a of all bytes that steps wrote, after every ${every === 1 ? 'step' : `${every} steps`}. */
QMCU_SECTION_TABLES static const uint32_t expected[] = {
${wrapItems(hex, '    ').join('\n')}
};

/* Columns of an input, bytes of a pixel, and the bits of its last byte. */
typedef struct {
    int32_t columns;
    int32_t bytes;
    uint8_t last;
} pixels;

${shapesText(program)}
typedef struct {
    uint32_t hash;
    int32_t step; /* the first that differs */
} comparison;

${FILL}
${compareText(checks)}
${readersText(program)}${stepsText(program, name)}
${selftestSignature(program, name, '_selftest')}
{
    int32_t step;
    return ${name}_selftest_steps(${['arena', ...lentInputs(program).map((i) => i.parameter), '&step'].join(', ')});
}
`;
}

/** Where the bytes of each input's pixels are. */
function shapesText(program: Program): string {
  const shapes = program.inputs.map(({ buffer }, i) => {
    const { rowBytes, pixelBytes, channels, bits } = program.buffers[buffer];
    const rest = (channels * bits) % 8;
    return (
      `static const pixels layout${portSuffix(i)} = {${rowBytes / pixelBytes}, ${pixelBytes}, ` +
      `${rest === 0 ? 255 : (1 << rest) - 1}};\n`
    );
  });
  return shapes.join('');
}

const FILL = `/* Waves with noise on them: rows [row, row + rows) and columns [column, column + columns) of an input. */
static void fill(uint8_t *to, int32_t row, int32_t column, int32_t rows, int32_t columns, int32_t row_bytes,
                 const pixels *shape)
{
    for (int32_t y = row; y < row + rows; y++, to += row_bytes) {
        for (int32_t x = column; x < column + columns; x++) {
            for (int32_t k = 0; k < shape->bytes; k++) {
                const uint32_t i = (uint32_t)((y * shape->columns + x) * shape->bytes + k);
                const uint32_t t = (uint32_t)(5 * x + 3 * y + 32 * k) & 255u;
                const uint32_t value = (t < 128u ? t : 255u - t) + (((i + 1u) * 0x9e3779b1u) >> 25);
                to[(x - column) * shape->bytes + k] = (uint8_t)(value & (k == shape->bytes - 1 ? shape->last : 255u));
            }
        }
    }
}
`;

/** The watcher that hashes what a step wrote. */
function compareText({ every, steps }: Checks): string {
  const later =
    every === 1 ? '' : `if ((step + 1) % ${every} != 0 && step != ${steps - 1}) {\n        return 0;\n    }\n    `;
  return `static int compare(void *context, int32_t step, const qmcu_map *output)
{
    comparison *c = (comparison *)context;
    if (output != NULL) {
        const int32_t bytes = (output->channels * (int32_t)(2u << (output->format >> 1)) + 7) / 8;
        for (int32_t y = 0; y < output->h; y++) {
            for (int32_t x = 0; x < output->w; x++) {
                const uint8_t *p = output->data + y * output->row_bytes + x * output->pixel_bytes;
                for (int32_t i = 0; i < bytes; i++) {
                    c->hash = (c->hash ^ p[i]) * 0x${HASH_PRIME.toString(16).padStart(8, '0')}u;
                }
            }
        }
    }
    ${later}if (c->hash == expected[step${every === 1 ? '' : ` / ${every}`}]) {
        return 0;
    }
    c->step = step;
    return 1;
}
`;
}

/** Functions that make tiles of inputs that come in tiles. */
function readersText(program: Program): string {
  if (!comesInTiles(program)) return '';
  const readers = externalInputs(program).map(({ port }) => {
    const id = portSuffix(port);
    return `static int read${id}(void *context, int32_t row, int32_t rows, int32_t column, int32_t columns,
                uint8_t *to, int32_t row_bytes)
{
    (void)context;
    fill(to, row, column, rows, columns, row_bytes, &layout${id});
    return 0;
}

`;
  });
  return readers.join('');
}

/** The self-test: fills the inputs that are in the arena or in lent memory, and runs the network under the watcher. */
function stepsText(program: Program, name: string): string {
  const prefix = macroPrefix(name);
  const tiles = comesInTiles(program);
  const lent = lentInputs(program).map(({ parameter }) => parameter);
  const fills = program.inputs.map(({ buffer }, i) => {
    const { rowBytes, pixelBytes, bytes, external } = program.buffers[buffer];
    if (tiles && external) return '';
    const to = external ? `input${portSuffix(i)}` : `${name}_input${portSuffix(i)}(arena)`;
    return (
      `    fill((uint8_t *)${to}, 0, 0, ${bytes / rowBytes}, ${rowBytes / pixelBytes}, ` +
      `${rowBytes}, &layout${portSuffix(i)});\n`
    );
  });
  const sources = externalInputs(program).map(
    ({ port, parameter }) => `    const ${name}_source ${parameter}_source = {read${portSuffix(port)}, NULL};\n`,
  );
  const args = tiles ? externalInputs(program).map(({ parameter }) => `&${parameter}_source`) : lent;
  return `${selftestSignature(program, name, '_selftest_steps', ['int32_t *step'])}
{
    comparison c = {0x${HASH_BASIS.toString(16)}u, -1};
    const qmcu_watch watch = {compare, &c};
    int error;
${tiles ? sources.join('') : ''}    if (${['arena', ...lent].map((p) => `${p} == NULL`).join(' || ')}) {
        return ${prefix}_ERROR_NO_ARENA;
    }
    if (((uintptr_t)arena & (uintptr_t)(${program.arenaAlign} - 1)) != 0) {
        return ${prefix}_ERROR_ARENA_ALIGNMENT;
    }
${fills.join('')}    error = ${watchedCall(program, name, 'arena', args)};
    *step = c.step;
    return c.step >= 0 ? ${prefix}_ERROR_SELFTEST : error;
}
`;
}
