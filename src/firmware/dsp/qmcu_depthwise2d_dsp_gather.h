/*
 * QuantMCU runtime: codes of two channels of a depthwise convolution's input as qmcu_depthwise2d_dsp_channels.h reads
 * them. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_DSP_GATHER_H
#define QMCU_DEPTHWISE2D_DSP_GATHER_H

#include "qmcu_depthwise2d_dsp_channels.h"

#if QMCU_DSP

/* Up to three columns of one group that no four take along. */
typedef struct {
    int32_t columns;
    int32_t place; /* of the first one in its group */
    int32_t from;  /* where it is: bytes after the input's first column under a window */
    int32_t to;    /* where it goes: bytes after the planes' first row */
} qmcu_planes_part;

/* Where columns of the input go, the same for all channels of a call. */
typedef struct {
    const qmcu_map *in;
    int32_t x;         /* first column of the input that is under a window */
    int32_t pixels;    /* columns from it on that are */
    int32_t before;    /* first column under a window, counted from the first one of the first group */
    int32_t first;     /* where the input's column x goes */
    int32_t end;       /* after the last column under a window */
    int32_t group;     /* bytes from one group of columns to the next */
    uint32_t flip;     /* the bits of a code that make signed ones unsigned; 0 for unsigned ones */
    uint32_t bordered; /* 1: qmcu_planes_put leaves rows outside of the input as they are: qmcu_planes_put_outside was
                          there */
    /* What qmcu_planes_divide works out: */
    uint32_t flips;         /* the same in all codes of a word of two pixels' pairs */
    qmcu_planes_part head;  /* what begins in the middle of a group */
    qmcu_planes_part tail;  /* what ends there */
    qmcu_planes_part fours; /* all between, in fours of columns */
} qmcu_planes;

/* Codes of both channels where the windows lie outside of the input, in the low half and the high half. */
typedef uint32_t qmcu_planes_padding;

/* To be called once when the other members are known. */
void qmcu_planes_divide(qmcu_planes *planes);

/* Rows [y, y + rows) of channels c and c + 1, outside of the input too, to the group of columns in their first row at
 * `to`. */
void qmcu_planes_put(const qmcu_planes *planes, int32_t c, int32_t y, int32_t rows, qmcu_planes_padding padding,
                     uint8_t *to);

/* Padding in those of the same rows that are outside of the input. */
void qmcu_planes_put_outside(const qmcu_planes *planes, int32_t y, int32_t rows, qmcu_planes_padding padding,
                             uint8_t *to);

/* Padding in the columns before and after the input, in this many rows. */
void qmcu_planes_put_sides(const qmcu_planes *planes, int32_t rows, qmcu_planes_padding padding, uint8_t *to);

/* Moves `rows` rows up, from row `from` to the first one. */
void qmcu_planes_move(const qmcu_planes *planes, int32_t from, int32_t rows, uint8_t *to);

#endif /* QMCU_DSP */

#endif /* QMCU_DEPTHWISE2D_DSP_GATHER_H */
