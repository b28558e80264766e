import { regionHeight, regionWidth, type Region } from '../graph/region';
import type { Program } from '../program/types';
import { macroPrefix } from './identifier';
import { comesInTiles, externalInputs, portSuffix } from './inputs';

/** The part of the header about inputs that come in tiles; empty for a program without. */
export function tilesInterface(program: Program, name: string): string {
  if (!comesInTiles(program)) return '';
  const prefix = macroPrefix(name);
  const inputs = externalInputs(program);
  const macros = inputs.map(({ port, buffer, tiles }) => {
    const id = `${prefix}_INPUT${portSuffix(port)}`;
    const most = (of: (r: Region) => number): number => tiles!.reduce((m, r) => Math.max(m, of(r)), 0);
    return (
      `/* ${orderOf(tiles!, program.inputs[port].shape)} */\n#define ${id}_PIXEL_BYTES ` +
      `${program.buffers[buffer].pixelBytes}\n` +
      `#define ${id}_TILE_ROWS ${most(regionHeight)} /* at most */\n#define ${id}_TILE_COLUMNS ` +
      `${most(regionWidth)} /* at most */\n`
    );
  });
  return `/*
 * The input comes in tiles: when the network starts a patch, it asks for the part of the input it
 * needs, and the application copies (or computes, or waits for) rows [row, row + rows) and columns
 * [column, column + columns). A row's pixels follow one another from \`to\` on, ${prefix}_INPUT_PIXEL_BYTES
 * each as the macros above describe them, and the next row begins row_bytes later. Returns 0; anything
 * else ends the inference with ${prefix}_ERROR_INPUT.
 */
#define ${prefix}_INPUT_TILES 1
#define ${prefix}_ERROR_INPUT 5
${macros.join('')}
typedef int (*${name}_read)(void *context, int32_t row, int32_t rows, int32_t column, int32_t columns,
                    uint8_t *to, int32_t row_bytes);

typedef struct {
    ${name}_read read;
    void *context; /* passed to read unchanged */
} ${name}_source;

/* Reads tiles of an input that is in memory as a whole: its context is the address of the first pixel. */
${inputs.map(({ port }) => `${readSignature(name, port)};\n`).join('')}
`;
}

/** Whether tiles are whole rows, from top to bottom, each asked for once. */
export function asksInOrder(tiles: readonly Region[], { w }: { readonly w: number }): boolean {
  return tiles.every((r, i) => r.x0 === 0 && r.x1 === w && (i === 0 || r.y0 >= tiles[i - 1].y1));
}

/** What an application can count on, by the program's own steps. */
function orderOf(tiles: readonly Region[], shape: { readonly w: number }): string {
  if (asksInOrder(tiles, shape)) return 'Whole rows, from top to bottom, each once.';
  const isWide = tiles.every((r) => r.x0 === 0 && r.x1 === shape.w);
  const overlap = (a: Region, b: Region): boolean => a.y0 < b.y1 && b.y0 < a.y1 && a.x0 < b.x1 && b.x0 < a.x1;
  const order = isWide ? 'Whole rows, from top to bottom' : 'Tiles by rows of patches, in each from left to right';
  const again = tiles.some((r, i) => tiles.slice(0, i).some((other) => overlap(r, other)));
  return again
    ? `${order}; they overlap, so some pixels are requested again.`
    : `${order}; no pixel is requested twice.`;
}

/**
 * The functions that read tiles of an input in memory, and the one that hands a request over; empty for a program
 * without tiles.
 */
export function tilesSource(program: Program, name: string): string {
  if (!comesInTiles(program)) return '';
  const prefix = macroPrefix(name);
  const readers = externalInputs(program).map(({ port }) => {
    const id = `${prefix}_INPUT${portSuffix(port)}`;
    return `${readSignature(name, port)}
{
    const uint8_t *from = (const uint8_t *)context + ((size_t)row * ${id}_W + (size_t)column) * ${id}_PIXEL_BYTES;
    for (; rows > 0; rows--) {
        memcpy(to, from, (size_t)columns * ${id}_PIXEL_BYTES);
        from += (size_t)${id}_W * ${id}_PIXEL_BYTES;
        to += row_bytes;
    }
    return 0;
}

`;
  });
  const load = `static int load(const ${name}_source *input, const qmcu_map *to, int32_t row, int32_t column)`;
  return `${readers.join('')}${load}
{
    return input->read(input->context, row, to->h, column, to->w, to->data, to->row_bytes);
}
`;
}

function readSignature(name: string, port: number): string {
  const read = `${name}_read_input${portSuffix(port)}`;
  return `int ${read}(void *context, int32_t row, int32_t rows, int32_t column, int32_t columns,
                    uint8_t *to, int32_t row_bytes)`;
}
