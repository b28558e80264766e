/*
 * QuantMCU runtime: convolutions by blocks of four pixels (qmcu_conv2d_dsp_block.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_BLOCKS_H
#define QMCU_CONV2D_DSP_BLOCKS_H

#include "qmcu_conv2d_dsp_block.h"

#if QMCU_DSP

/* Codes on the stack, and whether those of four columns of so many find room there. */
#define QMCU_BLOCK_CODES        (QMCU_COLUMN_BYTES / 2u / 16u * 16u)
#define QMCU_BLOCK_FITS(length) (4u * (((length) + 1u) / 2u * 2u) <= QMCU_BLOCK_CODES)

/* Convolves by blocks and returns 1, or 0 where blocks cannot compute the layer: groups, odd output channels, unusual
 * bounds. */
int qmcu_convolve_blocks(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* The same with a function made for the layer, whose constant is `shape`: the columns of four pixels fit the stack, or
 * `scratch`, where they go if it is not NULL. */
void qmcu_convolve_by(const qmcu_block_shape *shape, qmcu_block_function *function, const qmcu_conv2d_params *params,
                      const qmcu_map *in, const qmcu_map *out, int16_t *scratch);

#endif

#endif /* QMCU_CONV2D_DSP_BLOCKS_H */
