/*
 * QuantMCU runtime: 2-D convolution of any shape, with the DSP extension. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_ANY_H
#define QMCU_CONV2D_DSP_ANY_H

#include "qmcu_dsp.h"

#if QMCU_DSP

/* Any layer: groups, bounds and formats of all kinds. */
void qmcu_convolve_any(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* A layer without groups: `count` pixels from (oy, ox) on, going on in the next rows. */
void qmcu_convolve_pixels(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out, int32_t oy,
                          int32_t ox, int32_t count);

/* Codes [from, to) of the column of the window that begins at row y and column x of the input, as those of one pixel in
 * a block of four. */
void qmcu_window_column(const qmcu_conv2d_params *params, const qmcu_map *in, int32_t y, int32_t x, uint32_t from,
                        uint32_t to, int16_t *column);

#endif

#endif /* QMCU_CONV2D_DSP_ANY_H */
