/*
 * QuantMCU runtime: columns for cores without DSP and vector instructions: the codes under one window in words. Not
 * part of the interface.
 *
 * A block is the columns of one or four pixels. Either each code has a word, code k of pixel p at k * pixels + p, or
 * each two pixels have one: code k of pixels p and p + 1 at (k * pixels + p) / 2, as code of p + 65536 * code of p + 1.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_PLAIN_COLUMNS_H
#define QMCU_CONV2D_PLAIN_COLUMNS_H

#include "qmcu_plain.h"

#if QMCU_PLAIN

/* What every column of one layer needs. */
typedef struct {
    const qmcu_window *window;
    const qmcu_map *in;
    const int16_t *pad_codes;
    uint32_t in_channels; /* per group */
    int dense;            /* adjacent taps are one run of codes */
    int runs;             /* so are whole rows of a window */
} qmcu_plain_columns;

/* Codes [from, to) of one pixel's column. */
typedef struct {
    int32_t *column;
    uint32_t step;  /* words from one code to the next */
    int32_t factor; /* of the codes; those times +-65536 are added to what is there */
    uint32_t from;
    uint32_t to;
} qmcu_plain_part;

/* A part of the column of the window that begins at (y, x) of the input, channels of group g. */
void qmcu_plain_gather(const qmcu_plain_columns *c, int32_t y, int32_t x, uint32_t g, const qmcu_plain_part *t);

/* The same of the windows that begin at (y[0], x[0]) and (y[1], x[1]), sharing words. */
void qmcu_plain_gather_two(const qmcu_plain_columns *c, const int32_t *y, const int32_t *x, uint32_t g,
                           const qmcu_plain_part *t);

#endif

#endif /* QMCU_CONV2D_PLAIN_COLUMNS_H */
