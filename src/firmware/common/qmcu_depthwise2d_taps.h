/*
 * QuantMCU runtime: pixels of one row of a depthwise convolution, tap by tap. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_TAPS_H
#define QMCU_DEPTHWISE2D_TAPS_H

#include "qmcu_requantize.h"
#include "qmcu_depthwise2d_tap.h"

#if !QMCU_MVE

struct qmcu_run;

/* Writes the codes of four channels of one pixel. */
typedef void qmcu_run_write(const struct qmcu_run *r, const qmcu_tap_sums *s, uint8_t *to);

/* Pixels of one row, all of whose windows lie in the same way in the input; four channels. */
typedef struct qmcu_run {
    const uint8_t *x; /* first tap of the first pixel */
    const int16_t *w; /* four weights of the first tap */
    int32_t rows;     /* of taps inside the input */
    int32_t columns;
    int32_t x_next_row;  /* bytes from one row of taps to the next */
    int32_t x_next;      /* bytes from one tap to the next */
    int32_t w_next_row;  /* numbers from one row of weights to the next */
    qmcu_tap_sums first; /* bias, and what the taps outside contribute */
    const qmcu_scale *scale;
    const int32_t *multiplier; /* of the four channels */
    int32_t c;                 /* first channel */
    int32_t pixels;
    int32_t x_next_pixel;
    uint8_t *to;
    int32_t to_next_pixel;
    uint32_t format; /* of the output */
    qmcu_run_write *write;
} qmcu_run;

/* The function that writes an output's codes. */
qmcu_run_write *qmcu_run_write_of(const qmcu_requant *r, uint32_t format);

/* Writes the codes of up to four channels from c on. */
void qmcu_run_write_codes(const qmcu_scale *scale, const int32_t *multiplier, int32_t c, int32_t count, uint32_t format,
                          const qmcu_tap_sums *s, uint8_t *to);

/* Convolves runs over an input of the format whose number is the index. */
typedef void qmcu_run_function(const qmcu_run *r);
extern qmcu_run_function *const qmcu_runs[6];

#endif /* !QMCU_MVE */

#endif /* QMCU_DEPTHWISE2D_TAPS_H */
