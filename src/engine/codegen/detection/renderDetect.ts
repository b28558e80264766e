import { LOGARITHM, POWER, SIGMOID } from '../../program/detection/math';
import {
  CANDIDATE_BYTES,
  UNITS,
  type DetectionLevel,
  type DetectionProgram,
  type FieldCodes,
  type IntegerBox,
} from '../../program/detection/types';
import type { Program } from '../../program/types';
import { banner } from '../header';
import { macroPrefix } from '../identifier';
import { commentText, wrapItems } from '../text';
import type { ExternalInput } from '../inputs';
import type { GeneratedFile, Provenance } from '../types';
import boxes from './boxes.c';
import candidates from './candidates.c';
import suppression from './suppression.c';
import values from './values.c';

/** What the boxes' C is made of. */
export interface DetectOptions {
  readonly name: string;
  readonly provenance: Provenance;
  /** Boxes of the self-test's last inference. */
  readonly golden: readonly IntegerBox[] | null;
  /** The inputs that the self-test takes memory for. */
  readonly lent: readonly ExternalInput[];
}

/**
 * `<name>_detect.h` and `<name>_detect.c`: boxes out of the outputs, in integers. Everything is in these two files; the
 * arithmetic is that of program/detection/decode.ts, step by step.
 */
export function renderDetect(program: Program, head: DetectionProgram, options: DetectOptions): GeneratedFile[] {
  return [
    { path: `${options.name}_detect.h`, text: header(program, head, options) },
    { path: `${options.name}_detect.c`, text: source(program, head, options) },
  ];
}

/** Free bytes of the arena at the end of an inference that hold the candidates, or −1 where none suffice. */
function scratchOffset(program: Program, head: DetectionProgram): number {
  const bytes = head.candidates * CANDIDATE_BYTES;
  const kept = program.outputs
    .map(({ buffer }) => program.buffers[buffer])
    .map((b) => ({ from: b.offset, to: b.offset + b.bytes }))
    .sort((a, b) => a.from - b.from);
  let end = 0;
  for (const { from, to } of [...kept, { from: program.arenaBytes, to: program.arenaBytes }]) {
    const begin = Math.ceil(end / 8) * 8;
    if (from - begin >= bytes) return begin;
    end = Math.max(end, to);
  }
  return -1;
}

function header(program: Program, head: DetectionProgram, options: DetectOptions): string {
  const { name, provenance } = options;
  const prefix = macroPrefix(name);
  const offset = scratchOffset(program, head);
  const labels = head.labels.map((l, i) => `${i} ${commentText(l)}`);
  const inArena =
    offset < 0
      ? ''
      : `/* Scratch inside the arena, free once the network has run and until it runs again. */
#define ${prefix}_DETECT_SCRATCH(arena) ((void *)((uint8_t *)(arena) + ${offset}))
`;
  const points =
    head.points > 0 ? `    int16_t points[${2 * head.points}]; /* x and y of ${head.points} points in turn */\n` : '';
  return `${banner(`${name}: boxes of the detector, in integers.`, provenance)}#ifndef ${prefix}_DETECT_H
#define ${prefix}_DETECT_H

#include "${name}.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Corners in 1/16 pixel of an image of ${head.image.width / 16} x ${head.image.height / 16} pixels; score / 32768. */
typedef struct {
    int16_t x1, y1, x2, y2;
    uint16_t score;
    uint16_t label;
${points}} ${name}_box;

/* Labels:
${wrapItems(labels, ' * ').join('\n')}
 */
#define ${prefix}_DETECT_LABELS ${head.labels.length}
#define ${prefix}_DETECT_MAX ${head.detections}
/* Scratch that ${name}_detect needs, aligned to 4. */
#define ${prefix}_DETECT_SCRATCH_BYTES ${head.candidates * CANDIDATE_BYTES}
${inArena}
/*
 * Boxes of the inference that the arena holds the outputs of, best first; at most \`max\`. Returns how many.
 * Nothing but the arena, the scratch and constants is used: no float, no heap.
 */
int ${name}_detect(const void *arena, void *scratch, ${name}_box *out, int max);

/* Runs ${name}_selftest, and compares the boxes of its last inference with what the generator computed. */
${selftestSignature(options)};

#ifdef __cplusplus
}
#endif

#endif /* ${prefix}_DETECT_H */
`;
}

function source(program: Program, head: DetectionProgram, options: DetectOptions): string {
  const { name, provenance } = options;
  const tables: string[] = [];
  const array = (type: string, values: ArrayLike<number>): string => {
    const symbol = `table_${tables.length}`;
    const list = values.length > 0 ? Array.from(values, String) : ['0'];
    tables.push(
      `QMCU_SECTION_TABLES static const ${type} ${symbol}[${list.length}] = ` +
        `{\n${wrapItems(list, '    ').join('\n')}\n};\n`,
    );
    return symbol;
  };
  const levels = head.levels.map((l) => levelText(program, l, array));
  const named = (symbol: string, type: string, values: ArrayLike<number>): string =>
    `QMCU_SECTION_TABLES static const ${type} ${symbol}[${values.length}] = ` +
    `{\n${wrapItems(Array.from(values, String), '    ').join('\n')}\n};\n`;
  const define = (macro: string, value: number | string): string => `#define ${macro} ${value}\n`;
  const rules = [
    define('CANDIDATES', head.candidates),
    define('LEAST_SCORE', head.score),
    define('MOST_OVERLAP', `${head.iou}u`),
    define('BEST_CLASS', head.best ? 1 : 0),
    define('SUPPRESS', `SUPPRESS_${head.suppress.toUpperCase()}`),
    define('POINTS', head.points),
  ];
  return `${banner(`${name}: boxes of the detector, in integers.`, provenance)}#include "${name}_detect.h"

#include <stddef.h>

${rules.join('')}
/* Logistic function, powers of two, and logarithms to base 2. */
${named('sigmoid_table', 'int16_t', SIGMOID)}
${named('power_table', 'uint16_t', POWER)}
${named('logarithm_table', 'int16_t', LOGARITHM)}
${[values, boxes, candidates, suppression].join('\n')}
${tables.join('\n')}
QMCU_SECTION_TABLES static const level levels[${levels.length}] = {
${levels.join(',\n')}
};

${finishText(name, head)}
${detectText(name, head)}
${selftestText(name, head, options)}`;
}

/** The initializer of a level; `array` gets its tables. */
export function levelText(
  program: Program,
  l: DetectionLevel,
  array: (type: string, v: ArrayLike<number>) => string,
): string {
  const fields = (f: FieldCodes): string =>
    `{ ${program.buffers[program.outputs[f.output].buffer].offset + f.start}u, ${f.perCell}, ${f.perAnchor}, ` +
    `${f.perField}, ` +
    `${array('int32_t', f.multipliers)}, ${array('int16_t', f.zeros)}, ${f.formatsPerAnchor}, ${f.formatsPerField}, ` +
    `${f.shift}, ${f.signed ? 1 : 0} }`;
  const upper = (kind: string, value: string): string => `${kind}_${value.toUpperCase()}`;
  const { objectness: object, score } = l;
  const entries: [string, string | number][] = [
    ['rows', l.rows],
    ['cols', l.cols],
    ['anchors', l.anchors],
    ['stride', l.stride],
    ['offset', l.offset],
    ['form', upper('FORM', l.form)],
    ['xy', upper('XY', l.xy)],
    ['wh', upper('WH', l.wh)],
    ['order', upper('ORDER', l.order)],
    ['object_fn', upper('FN', object?.fn ?? 'none')],
    ['score_fn', upper('FN', score.fn)],
    ['peaks', score.peaks ? 1 : 0],
    ['has_size', l.size ? 1 : 0],
    ['has_object', object ? 1 : 0],
    ['bins', l.bins],
    ['xy_scale', l.xyScale],
    ['wh_scale', l.whScale],
    ['units', array('int32_t', l.units.subarray(0, l.anchors * UNITS))],
    ['box', fields(l.box)],
    ['size', fields(l.size ?? l.box)],
    ['object', fields(object ?? l.box)],
    ['score', fields(score)],
    ['points', fields(l.points ?? l.box)],
    ['least_object', array('int16_t', object?.least ?? [0])],
    ['least_score', array('int16_t', score.least)],
    ['least_object_per_anchor', object && object.formatsPerAnchor > 0 ? 1 : 0],
    ['least_per_anchor', score.leastPerAnchor],
    ['least_per_field', score.leastPerField],
    ['count', score.count],
    ['background', score.background],
    ['least_above', score.leastAbove],
    ['object_power', l.powers[0]],
    ['class_power', l.powers[1]],
  ];
  return `    {\n${entries.map(([key, value]) => `        .${key} = ${value}`).join(',\n')}\n    }`;
}

function finishText(name: string, { image, points }: DetectionProgram): string {
  const x = (v: string): string => `on_image(${v}, ${image.left}, ${image.scaleX}, ${image.width})`;
  const y = (v: string): string => `on_image(${v}, ${image.top}, ${image.scaleY}, ${image.height})`;
  const pointsText =
    points === 0
      ? ''
      : `    {
        const level *l = levels;
        uint32_t rest = c->location;
        int32_t cell, anchor, px, py, k;
        while (rest >= (uint32_t)(l->rows * l->cols * l->anchors)) {
            rest -= (uint32_t)(l->rows * l->cols * l->anchors);
            l++;
        }
        cell = (int32_t)rest / l->anchors;
        anchor = (int32_t)rest - cell * l->anchors;
        point_of(l, cell, &px, &py);
        for (k = 0; k < POINTS; k++) {
            const int32_t *const u = l->units + anchor * ${UNITS};
            const int32_t x = px + times(value_at(arena, &l->points, cell, anchor, 2 * k), u[4]);
            const int32_t y = py + times(value_at(arena, &l->points, cell, anchor, 2 * k + 1), u[5]);
            out->points[2 * k] = ${x('saturate(x)')};
            out->points[2 * k + 1] = ${y('saturate(y)')};
        }
    }
`;
  return `static void finish(const uint8_t *arena, const candidate *c, ${name}_box *out)
{
    (void)arena;
    out->x1 = ${x('c->x1')};
    out->y1 = ${y('c->y1')};
    out->x2 = ${x('c->x2')};
    out->y2 = ${y('c->y2')};
    out->score = c->score;
    out->label = c->label;
${pointsText}}
`;
}

function detectText(name: string, { detections }: DetectionProgram): string {
  return `int ${name}_detect(const void *arena, void *scratch, ${name}_box *out, int max)
{
    const uint8_t *const base = (const uint8_t *)arena;
    candidate *const heap = (candidate *)scratch;
    const int32_t most = max < ${detections} ? max : ${detections};
    int32_t count = 0;
    int32_t n, i, cell, anchor;
    uint32_t location = 0;
    if (arena == NULL || scratch == NULL || out == NULL) {
        return 0;
    }
    for (i = 0; i < (int32_t)(sizeof levels / sizeof levels[0]); i++) {
        const level *const l = &levels[i];
        for (cell = 0; cell < l->rows * l->cols; cell++) {
            for (anchor = 0; anchor < l->anchors; anchor++, location++) {
                scan(base, l, cell, anchor, location, heap, &count);
            }
        }
    }
    for (n = count - 1; n > 0; n--) {
        swap(&heap[0], &heap[n]);
        sink(heap, n);
    }
    count = suppress(heap, count, most);
    for (i = 0; i < count; i++) {
        finish(base, &heap[i], &out[i]);
    }
    return (int)count;
}
`;
}

function selftestSignature({ name, lent }: DetectOptions): string {
  const memory = lent.map(({ parameter }) => `void *${parameter}, `);
  return `int ${name}_detect_selftest(void *arena, ${memory.join('')}void *scratch)`;
}

function selftestText(name: string, { points }: DetectionProgram, options: DetectOptions): string {
  const { golden, lent } = options;
  const prefix = macroPrefix(name);
  const call = `${name}_selftest(${['arena', ...lent.map(({ parameter }) => parameter)].join(', ')})`;
  if (golden === null) return `${selftestSignature(options)}\n{\n    (void)scratch;\n    return ${call};\n}\n`;
  const width = 6 + 2 * points;
  const rows = golden.map((b) => [b.x1, b.y1, b.x2, b.y2, b.score, b.label, ...b.points]);
  const values = rows.length > 0 ? rows.flat() : new Array<number>(width).fill(0);
  const pointsCheck =
    points === 0
      ? ''
      : `        for (k = 0; k < ${2 * points}; k++) {
            same = same && out[i].points[k] == want[6 + k];
        }
`;
  return `/* What the self-test's last inference gives: corners, score, label and points of each box. */
QMCU_SECTION_TABLES static const int32_t golden[${values.length}] = {
${wrapItems(values.map(String), '    ').join('\n')}
};

${selftestSignature(options)}
{
    ${name}_box out[${Math.max(1, golden.length + 1)}];
    const int error = ${call};
    int count, i;
${points === 0 ? '' : '    int k;\n'}    if (error != ${prefix}_OK) {
        return error;
    }
    count = ${name}_detect(arena, scratch, out, ${golden.length + 1});
    if (count != ${golden.length}) {
        return ${prefix}_ERROR_SELFTEST;
    }
    for (i = 0; i < count; i++) {
        const int32_t *const want = golden + i * ${width};
        int same = out[i].x1 == want[0] && out[i].y1 == want[1] && out[i].x2 == want[2] && out[i].y2 == want[3] &&
                   out[i].score == (uint16_t)want[4] && out[i].label == (uint16_t)want[5];
${pointsCheck}        if (!same) {
            return ${prefix}_ERROR_SELFTEST;
        }
    }
    return ${prefix}_OK;
}
`;
}
