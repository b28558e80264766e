/*
 * QuantMCU runtime: columns for the vector extension Helium: the codes under one window as bytes. Not part of the
 * interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_MVE_COLUMNS_H
#define QMCU_CONV2D_MVE_COLUMNS_H

#include "qmcu_mve.h"

#if QMCU_MVE

/* What every column of one layer needs. */
typedef struct {
    const qmcu_window *window;
    const qmcu_map *in;
    const int16_t *pad_codes;
    uint32_t in_channels; /* per group */
    uint32_t weight_bits; /* 4: of each whole four codes the second and third are exchanged, as the weights are */
    int dense;            /* adjacent taps are one run of codes */
    int runs;             /* so are whole rows of a window, of which a column holds all */
} qmcu_mve_columns;

/* Codes [from, to) of one pixel's column. */
typedef struct {
    uint8_t *column;
    uint32_t from;
    uint32_t to;
} qmcu_mve_part;

/* The column of the window that begins at (y, x) of the input, channels of group g; sixteen bytes of 0 follow it. */
void qmcu_mve_gather(const qmcu_mve_columns *c, int32_t y, int32_t x, uint32_t g, const qmcu_mve_part *t);

#endif

#endif /* QMCU_CONV2D_MVE_COLUMNS_H */
