/*
 * QuantMCU runtime: convolutions by packed blocks (qmcu_conv2d_dsp_packed.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_PACKED_BLOCKS_H
#define QMCU_CONV2D_DSP_PACKED_BLOCKS_H

#include "qmcu_conv2d_dsp_packed_block.h"

#if QMCU_DSP
#include "qmcu_conv2d_dsp_blocks.h"

/*
 * Whether four columns of this many codes find room on the stack; where they do not, they come in parts: output
 * channels whose sums are kept between them, codes of four pixels, and whether there is room for both.
 */
#define QMCU_PACK_FITS(padded)  (4u * (padded) <= QMCU_BLOCK_CODES)
#define QMCU_PACK_PART_CHANNELS 64
#define QMCU_PACK_PART_CODES    (QMCU_BLOCK_CODES - 8u * QMCU_PACK_PART_CHANNELS)
#define QMCU_PACK_HAS_PARTS     (QMCU_BLOCK_CODES >= 8u * QMCU_PACK_PART_CHANNELS + 4u * 32u)

/*
 * For layers without groups, with a multiple of 4 output channels and output rows of at least 4 pixels, that fit or
 * come in parts. Where `scratch` is not NULL the columns go there: four numbers of 16 bits for each code, then a byte
 * for each unit and one more.
 */
void qmcu_convolve_packed(const qmcu_pack_shape *shape, qmcu_pack_function *function, const qmcu_conv2d_params *params,
                          const qmcu_map *in, const qmcu_map *out, int16_t *scratch);
#endif

/* The same in plain C, for any core and stack: right, not fast. */
void qmcu_convolve_packed_plain(const qmcu_pack_shape *shape, const qmcu_conv2d_params *params, const qmcu_map *in,
                                const qmcu_map *out);

#endif /* QMCU_CONV2D_DSP_PACKED_BLOCKS_H */
