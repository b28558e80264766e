/*
 * QuantMCU runtime: convolutions by blocks of four pixels (qmcu_block.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_BLOCKS_H
#define QMCU_BLOCKS_H

#include "qmcu_block.h"

#if QMCU_DSP

/* Codes on the stack, and whether those of four columns of so many find room there. */
#define QMCU_BLOCK_CODES        (QMCU_COLUMN_BYTES / 2u / 16u * 16u)
#define QMCU_BLOCK_FITS(length) (4u * (((length) + 1u) / 2u * 2u) <= QMCU_BLOCK_CODES)

/* Convolves by blocks and returns 1, or 0 where blocks cannot compute the layer: groups, odd output channels, unusual
 * bounds. */
int qmcu_convolve_blocks(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* The same with a function made for the layer, whose constant is `shape`: the columns of four pixels fit the stack, or
 * `room`, where they go if it is not NULL. */
void qmcu_convolve_by(const qmcu_block_shape *shape, qmcu_block_function *function, const qmcu_conv2d_params *params,
                      const qmcu_map *in, const qmcu_map *out, int16_t *room);

/* In qmcu_conv2d.c, for any layer without groups: `count` pixels from (oy, ox) on, going on in the next rows. */
void qmcu_convolve_pixels(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out, int32_t oy,
                          int32_t ox, int32_t count);

/* Codes [from, to) of the column of the window that begins at row y and column x of the input, as those of one pixel in
 * a block of four. */
void qmcu_window_column(const qmcu_conv2d_params *params, const qmcu_map *in, int32_t y, int32_t x, uint32_t from,
                        uint32_t to, int16_t *column);

#endif

#endif /* QMCU_BLOCKS_H */
