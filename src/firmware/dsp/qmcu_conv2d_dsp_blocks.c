/*
 * QuantMCU runtime: convolutions by blocks of four pixels, with the DSP extension.
 *
 * The codes under the windows of four output pixels are unpacked to columns; a block function then computes all output
 * channels.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_blocks.h"
#include "qmcu_conv2d_dsp_any.h"
#include "qmcu_conv2d_dsp_gather.h"

#if QMCU_DSP

/* Where a pixel's column has more than its quarter of them, output channels whose sums are kept between the column's
 * parts. */
#define PART_CHANNELS 64
#define PART_CODES    (QMCU_BLOCK_CODES - 8u * PART_CHANNELS)
#define HAS_PARTS     (QMCU_BLOCK_CODES >= 8u * PART_CHANNELS + 64u)

/* What every block of a call needs. */
typedef struct {
    qmcu_gathering gathering;
    const qmcu_block_shape *shape;
    qmcu_block_function *function;
    int16_t *scratch; /* for the columns; NULL: the stack */
} blocks_convolution;

/* Multiplies the codes of four columns by 1 << n. */
static QMCU_SMALL void fold(int16_t *columns, uint32_t length, uint32_t n)
{
    const uint32_t mask = ~(((1u << n) - 1u) << 16);
    for (uint32_t words = 2u * ((length + 1u) / 2u); words > 0u; words--) {
        const qmcu_words two = qmcu_load_two(columns, 0u);
        qmcu_store_two(columns, 0u, two.first << n & mask, two.second << n & mask);
        columns += 4;
    }
}

static QMCU_SMALL void blocks_convolve_columns(const blocks_convolution *conv, int32_t oy, int32_t ox, int16_t *columns)
{
    const qmcu_conv2d_params *params = conv->gathering.params;
    const qmcu_map *out = conv->gathering.out;
    const uint32_t length = conv->shape->length;
    qmcu_block block = {conv->shape, columns, params->weights, &params->requant, 0, out->channels, NULL, length, NULL,
                        1,           1,       out->pixel_bytes};
    block.to = qmcu_at(out, oy, ox, 0);
    qmcu_convolve_gather(&conv->gathering, oy, ox, 0u, length, columns);
    if (conv->shape->folded != 0u) {
        fold(columns, length, conv->shape->folded);
    }
    conv->function(&block);
}

static QMCU_SMALL void blocks_convolve_block(const blocks_convolution *conv, int32_t oy, int32_t ox)
{
    QMCU_ALIGN(8) int16_t columns[QMCU_BLOCK_CODES];
    blocks_convolve_columns(conv, oy, ox, columns);
}

#if HAS_PARTS
/* The same where the columns come in parts. */
static QMCU_SMALL void blocks_convolve_block_in_parts(const blocks_convolution *conv, int32_t oy, int32_t ox)
{
    QMCU_ALIGN(8) int16_t columns[PART_CODES];
    const qmcu_conv2d_params *params = conv->gathering.params;
    const qmcu_map *out = conv->gathering.out;
    int32_t sums[4 * PART_CHANNELS];
    const uint32_t length = conv->shape->length;
    const uint32_t pair_bytes = 2u * length * conv->shape->weight_bits / 8u;
    const uint8_t *weights = params->weights;
    qmcu_block block = {conv->shape, columns, weights, &params->requant, 0, 0, NULL, 0u, sums, 1, 1, out->pixel_bytes};
    for (; block.first < out->channels; block.first += PART_CHANNELS) {
        block.channels = qmcu_min(PART_CHANNELS, out->channels - block.first);
        block.to = qmcu_at(out, oy, ox, block.first);
        for (uint32_t from = 0u; from < length; from += PART_CODES / 4u) {
            block.length = length - from < PART_CODES / 4u ? length - from : PART_CODES / 4u;
            block.begins = from == 0u;
            block.ends = from + block.length == length;
            block.weights =
                weights + (uint32_t)(block.first / 2) * pair_bytes + 2u * from * conv->shape->weight_bits / 8u;
            qmcu_convolve_gather(&conv->gathering, oy, ox, from, from + block.length, columns);
            if (conv->shape->folded != 0u) {
                fold(columns, block.length, conv->shape->folded);
            }
            conv->function(&block);
        }
    }
}
#endif

static QMCU_SMALL void blocks_convolve_four(const void *call, int parts, int32_t oy, int32_t ox)
{
    const blocks_convolution *conv = call;
    if (conv->scratch != NULL) {
        blocks_convolve_columns(conv, oy, ox, conv->scratch);
        return;
    }
#if HAS_PARTS
    if (parts) {
        blocks_convolve_block_in_parts(conv, oy, ox);
        return;
    }
#endif
    (void)parts;
    blocks_convolve_block(conv, oy, ox);
}

static QMCU_SMALL void blocks_convolve_last(const void *call, int parts, int32_t oy, int32_t ox, int32_t n)
{
    const qmcu_gathering *g = &((const blocks_convolution *)call)->gathering;
    if (n == 3 && g->out->w >= 4) {
        /* The last four of the row, one of them again: while a row is written nothing overwrites what it reads. */
        blocks_convolve_four(call, parts, oy, g->out->w - 4);
    } else if ((QMCU_CONV2D_PIXELS | QMCU_CONV2D_PIXELS_4) != 0u) {
        qmcu_convolve_pixels(g->params, g->in, g->out, oy, ox, n);
    }
}

QMCU_SMALL void qmcu_convolve_by(const qmcu_block_shape *shape, qmcu_block_function *function,
                                 const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out,
                                 int16_t *scratch)
{
    blocks_convolution conv;
    const int parts = QMCU_CONV2D_PARTS && scratch == NULL && !QMCU_BLOCK_FITS(shape->length);
    conv.gathering = qmcu_gathering_of(params, in, out, shape->length, parts);
    conv.shape = shape;
    conv.function = function;
    conv.scratch = scratch;
    qmcu_each_four(&conv, parts, in, out, blocks_convolve_four, blocks_convolve_last);
}

/* What no layer has of the shape; weights of 8 bits leave no more of the shift to the sums than there is. */
QMCU_INLINE void block_used(qmcu_block_shape *shape)
{
    (void)shape;
#if !QMCU_CONV2D_BOUNDED
    shape->bounded = 0u;
#endif
#if !QMCU_CONV2D_BIAS_SHIFTS
    shape->bias_shift = 0;
#endif
    QMCU_ASSUME(shape->weight_bits != 8u || shape->folded <= shape->pre_shift);
}

QMCU_KERNEL static void block_w8(const qmcu_block *block)
{
    qmcu_block_shape shape = *block->shape;
    shape.weight_bits = 8u;
    block_used(&shape);
    qmcu_block_all(&shape, QMCU_CONV2D_PARTS ? 2 : 1, block);
}

QMCU_KERNEL static void block_w4(const qmcu_block *block)
{
    qmcu_block_shape shape = *block->shape;
    shape.weight_bits = 4u;
    block_used(&shape);
    qmcu_block_all(&shape, QMCU_CONV2D_PARTS ? 2 : 1, block);
}

/* Largest shift of a format's codes that leaves them in 16 bits. */
static uint32_t fold_limit(uint32_t format)
{
    return 15u - qmcu_bits(format) + (format & 1u);
}

QMCU_SMALL int qmcu_convolve_blocks(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const qmcu_requant *r = &params->requant;
    const uint32_t bits = qmcu_bits(out->format);
    const int32_t lowest = (out->format & 1u) != 0u ? -(int32_t)(1u << (bits - 1u)) : 0;
    const int32_t highest = lowest + (int32_t)((1u << bits) - 1u);
    qmcu_block_shape shape;
    shape.length = (uint32_t)(params->window.kernel_h * params->window.kernel_w * in->channels);
    shape.weight_bits = params->weight_bits;
    shape.format = out->format;
    shape.bounded = r->max_table != NULL || r->max < highest;
    shape.pre_shift = r->pre_shift;
    shape.shift = r->shift;
    shape.bias_shift = r->bias_shift;
    shape.pixel_bytes = out->pixel_bytes;
    if (params->group != 1 || out->channels % 2 != 0 || bits < 4u || r->min != lowest || r->shift > 22u) {
        return 0;
    }
    if ((shape.bounded && out->format != QMCU_U8 && out->format != QMCU_U4) || r->max < 0 || r->max > highest) {
        return 0;
    }
    if (!HAS_PARTS && !QMCU_BLOCK_FITS(shape.length)) {
        return 0;
    }
    /* A column's codes are shifted once, the sums of its products for every output channel. Codes of padding may be
     * larger than the map's. */
    const uint32_t scaled = params->weight_bits == 4u ? 4u : 0u;
    const uint32_t limit = fold_limit(in->format);
    shape.folded = 0u;
    if (shape.length < (uint32_t)out->channels && params->pad_codes == NULL && shape.pre_shift > scaled) {
        shape.folded = shape.pre_shift - scaled < limit ? shape.pre_shift - scaled : limit;
    }
    qmcu_convolve_by(&shape, QMCU_ARE_BYTES(QMCU_CONV2D_BLOCKS, params->weight_bits) ? block_w8 : block_w4, params, in,
                     out, NULL);
    return 1;
}

#endif /* QMCU_DSP */
