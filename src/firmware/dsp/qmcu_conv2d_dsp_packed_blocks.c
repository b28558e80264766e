/*
 * QuantMCU runtime: convolutions of few bits by packed blocks of four pixels, see qmcu_conv2d_dsp_packed.h.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_packed_blocks.h"

#include "qmcu_conv2d_dsp_blocks.h"
#include "qmcu_conv2d_dsp_gather.h"
#include "qmcu_conv2d_dsp_packed_columns.h"

#if QMCU_DSP

/* Codes of an iteration over a segment, and of one that finishes it; units are multiples of that. */
#define SEGMENT_UNROLL 16u
#define REST_UNROLL    4u

/* All segments, one after the other; the shape's kind is that of `like`, a constant. */
QMCU_INLINE void sum_segments(const qmcu_pack_shape *like, const qmcu_pack_shape *shape, const uint8_t *segments,
                              qmcu_pack_place *place)
{
    const int16_t *x = place->columns;
    const uint8_t *w = place->weights;
    if (!place->earlier) {
        for (uint32_t i = 0u; i < 16u; i++) {
            place->sums[i] = 0;
        }
    }
    do {
        qmcu_pack_sums s;
        const uint32_t codes = *segments++ * shape->unit;
        place->end = w + QMCU_PACK_WEIGHT_BYTES(like->kind, codes / SEGMENT_UNROLL * SEGMENT_UNROLL);
        place->rest_end = w + QMCU_PACK_WEIGHT_BYTES(like->kind, codes);
        QMCU_BLOCK_TO_MEMORY(*place);
        qmcu_pack_begin(like, &s);
        if (codes >= SEGMENT_UNROLL) {
            qmcu_pack_unrolled(like, SEGMENT_UNROLL, 0, &x, &w, &place->end, &s);
        }
        if (codes % SEGMENT_UNROLL != 0u) {
            qmcu_pack_unrolled(like, REST_UNROLL, 0, &x, &w, &place->rest_end, &s);
        }
        qmcu_pack_keep(like, &s, place->sums);
    } while (*segments != 0u);
}

static const qmcu_pack_shape halves = {.kind = QMCU_PACK_HALVES};
static const qmcu_pack_shape words = {.kind = QMCU_PACK_WORDS};

QMCU_KERNEL void qmcu_pack_sum_halves(const qmcu_pack_shape *shape, const uint8_t *segments, qmcu_pack_place *place)
{
    sum_segments(&halves, shape, segments, place);
}

QMCU_KERNEL void qmcu_pack_sum_words(const qmcu_pack_shape *shape, const uint8_t *segments, qmcu_pack_place *place)
{
    sum_segments(&words, shape, segments, place);
}

/* Whether columns are packed by halves, not by words. */
#define IS_BY_HALVES(shape) \
    ((QMCU_CONV2D_PACKED & 3u) == 3u ? (shape)->kind == QMCU_PACK_HALVES : (QMCU_CONV2D_PACKED & 2u) == 0u)

/* A code of any format, as bits. */
static uint32_t code_of(const qmcu_pack_shape *shape, int32_t min, int32_t max, int32_t multiplier, uint32_t sum)
{
    const int32_t round = (int32_t)(1u << (shape->shift - 1u));
    const int32_t y = qmcu_smmla((int32_t)sum, multiplier, round) >> shape->shift;
    return (uint32_t)qmcu_clamp(y, min, max) & ((1u << qmcu_bits(shape->format)) - 1u);
}

/* As qmcu_pack_write_kept does with a constant shape: the codes of two channels, the first or second of four. */
static QMCU_SMALL void write_kept(const qmcu_pack_shape *shape, int32_t min, const qmcu_pack_place *place,
                                  uint32_t more, uint32_t second)
{
    const qmcu_pack_scale k = qmcu_pack_scale_of(shape, place, more, second);
    const uint32_t bits = qmcu_bits(shape->format);
    const int32_t *sums = place->sums + 8u * second;
    uint8_t *to = place->to + 2u * bits * second / 8u;
    for (const int32_t *end = sums + 8; sums != end; sums += 2) {
        const uint32_t a = (uint32_t)sums[0] * k.factor + k.a;
        const uint32_t b = (uint32_t)sums[1] * k.factor + k.b;
        const uint32_t codes = code_of(shape, min, place->max[2u * second], k.scale.multiplier_a, a) |
                               code_of(shape, min, place->max[2u * second + 1u], k.scale.multiplier_b, b) << bits;
        if (bits == 2u) {
            to[0] = (uint8_t)(second == 0u ? codes : to[0] | codes << 4);
        } else {
            to[0] = (uint8_t)codes;
        }
        if (bits == 8u) {
            to[1] = (uint8_t)(codes >> 8);
        }
        to += shape->pixel_bytes;
    }
}

QMCU_SMALL void qmcu_pack_by_segments(const qmcu_pack_block *block)
{
    const qmcu_pack_shape *shape = block->shape;
    int16_t same[4];
    int32_t own[16];
    qmcu_pack_place place = qmcu_pack_place_of(shape, 1, block, own, same);
    do {
        place.earlier = !block->begins;
        if (IS_BY_HALVES(shape)) {
            qmcu_pack_sum_halves(shape, block->segments, &place);
        } else {
            qmcu_pack_sum_words(shape, block->segments, &place);
        }
        if (block->ends) {
            write_kept(shape, block->requant->min, &place, block->flushes - 1u, 0u);
            write_kept(shape, block->requant->min, &place, block->flushes - 1u, 1u);
        }
        place.weights += place.weight_bytes;
        qmcu_pack_advance(shape, block->sums != NULL, &place);
    } while (place.scale != place.scale_end);
}

/* Units of at least four codes in the columns of four pixels. */
#define MOST_SEGMENTS (QMCU_BLOCK_CODES / 4u / 4u)

typedef struct {
    qmcu_gathering gathering;
    const qmcu_pack_shape *shape;
    qmcu_pack_function *function;
    int16_t *scratch; /* NULL: the stack */
    int direct;       /* columns are the codes of one pixel, which can be joined as they are read */
} packed_convolution;

/* Codes [from, to) of the columns, with zeros up to `padded` of them, as the kernel takes them. Returns how often it
 * takes sums out. */
static uint32_t prepare(const packed_convolution *conv, int32_t oy, int32_t ox, uint32_t from, uint32_t padded,
                        int16_t *columns, uint8_t *segments)
{
    const qmcu_pack_shape *shape = conv->shape;
    const uint32_t to = from + padded < shape->length ? from + padded : shape->length;
    const uint8_t *at[4];
    if ((QMCU_CONV2D_PACKED & 12u) != 0u && conv->direct && from + padded <= shape->length &&
        qmcu_find_pixels(&conv->gathering, oy, ox, from, at)) {
        return qmcu_join_pixels(shape, conv->gathering.in->format, at, columns, padded, segments);
    }
    qmcu_convolve_gather(&conv->gathering, oy, ox, from, to, columns);
    for (uint32_t k = (to - from + 1u) / 2u * 2u; k < padded; k += 2u) {
        qmcu_store_two(columns + 4u * k, 0u, 0u, 0u);
        qmcu_store_two(columns + 4u * k, 8u, 0u, 0u);
    }
    return IS_BY_HALVES(shape) ? qmcu_measure_columns(shape, columns, padded, segments)
                               : qmcu_join_columns(shape, columns, padded, segments);
}

static void packed_convolve_columns(const packed_convolution *conv, int32_t oy, int32_t ox, int16_t *columns,
                                    uint8_t *segments)
{
    const qmcu_conv2d_params *params = conv->gathering.params;
    const qmcu_map *out = conv->gathering.out;
    const uint32_t length = conv->shape->padded;
    qmcu_pack_block block = {columns, params->weights, &params->requant, 0, out->channels, NULL, segments, 0u, NULL, 1,
                             1,       conv->shape};
    block.to = qmcu_at(out, oy, ox, 0);
    block.flushes = prepare(conv, oy, ox, 0u, length, columns, segments);
    conv->function(&block);
}

static void packed_convolve_block(const packed_convolution *conv, int32_t oy, int32_t ox)
{
    QMCU_ALIGN(8) int16_t columns[QMCU_BLOCK_CODES];
    uint8_t segments[MOST_SEGMENTS + 1u];
    packed_convolve_columns(conv, oy, ox, columns, segments);
}

#if QMCU_PACK_HAS_PARTS
static void packed_convolve_block_in_parts(const packed_convolution *conv, int32_t oy, int32_t ox)
{
    QMCU_ALIGN(8) int16_t columns[QMCU_PACK_PART_CODES];
    int32_t sums[4 * QMCU_PACK_PART_CHANNELS];
    uint8_t segments[MOST_SEGMENTS + 1u];
    const qmcu_conv2d_params *params = conv->gathering.params;
    const qmcu_map *out = conv->gathering.out;
    const uint32_t length = conv->shape->padded;
    const uint32_t part = QMCU_PACK_PART_CODES / 4u / (2u * conv->shape->unit) * (2u * conv->shape->unit);
    const uint8_t *weights = params->weights;
    qmcu_pack_block block = {columns, weights, &params->requant, 0, 0, NULL, segments, 0u, sums, 1, 1, conv->shape};
    for (; block.first < out->channels; block.first += QMCU_PACK_PART_CHANNELS) {
        block.channels = qmcu_min(QMCU_PACK_PART_CHANNELS, out->channels - block.first);
        block.to = qmcu_at(out, oy, ox, block.first);
        block.flushes = 0u;
        for (uint32_t from = 0u; from < length; from += part) {
            const uint32_t codes = length - from < part ? length - from : part;
            block.begins = from == 0u;
            block.ends = from + codes == length;
            block.weights =
                weights + QMCU_PACK_WEIGHT_BYTES(conv->shape->kind, (uint32_t)(block.first / 4) * length + from);
            block.flushes += prepare(conv, oy, ox, from, codes, columns, segments);
            conv->function(&block);
        }
    }
}
#endif

static void packed_convolve_four(const void *call, int parts, int32_t oy, int32_t ox)
{
    const packed_convolution *conv = call;
    if (conv->scratch != NULL) {
        packed_convolve_columns(conv, oy, ox, conv->scratch, (uint8_t *)(conv->scratch + 4u * conv->shape->padded));
        return;
    }
#if QMCU_PACK_HAS_PARTS
    if (parts) {
        packed_convolve_block_in_parts(conv, oy, ox);
        return;
    }
#endif
    (void)parts;
    packed_convolve_block(conv, oy, ox);
}

/* The last four of the row, some of them again: while a row is written nothing overwrites what it reads. */
static void packed_convolve_last(const void *call, int parts, int32_t oy, int32_t ox, int32_t n)
{
    (void)ox;
    (void)n;
    packed_convolve_four(call, parts, oy, ((const packed_convolution *)call)->gathering.out->w - 4);
}

void qmcu_convolve_packed(const qmcu_pack_shape *shape, qmcu_pack_function *function, const qmcu_conv2d_params *params,
                          const qmcu_map *in, const qmcu_map *out, int16_t *scratch)
{
    const int parts = scratch == NULL && !QMCU_PACK_FITS(shape->padded);
    packed_convolution conv;
    conv.gathering = qmcu_gathering_of(params, in, out, shape->length, parts);
    conv.shape = shape;
    conv.function = function;
    conv.scratch = scratch;
    conv.direct = shape->kind == QMCU_PACK_WORDS && params->window.kernel_h == 1 && params->window.kernel_w == 1;
    qmcu_each_four(&conv, parts, in, out, packed_convolve_four, packed_convolve_last);
}

#endif /* QMCU_DSP */

/* The second of two numbers in a word of weights, of which the first takes the lower n bits, sign included; and the
 * first itself. */
static int32_t second_of(int32_t word, uint32_t n, int32_t *first)
{
    *first = (int32_t)((uint32_t)word << (32u - n)) >> (32u - n);
    return (int32_t)((int64_t)word - *first) >> n;
}

/* Weights of place k in the columns of channels c and c + 1, the first of them even. */
static void weights_of(const qmcu_pack_shape *shape, const int32_t *weights, int32_t c, uint32_t k, int32_t pair[2])
{
    const uint32_t four = (uint32_t)c / 4u;
    const uint32_t two = (uint32_t)c / 2u % 2u;
    if (shape->kind == QMCU_PACK_HALVES) {
        const int32_t word = weights[(four * shape->padded + k / 2u * 2u) + two];
        const int32_t half = k % 2u == 0u ? (int32_t)((uint32_t)word << 16) >> 16 : word >> 16;
        pair[1] = second_of(half, QMCU_PACK_HALF_BITS, &pair[0]);
    } else {
        pair[1] = second_of(weights[(four * shape->padded + k) * 2u + two], QMCU_PACK_CHANNEL, &pair[0]);
    }
}

/* Sums of the window that begins at row y and column x for channels c and c + 1. */
static void sum_window(const qmcu_pack_shape *shape, const qmcu_conv2d_params *params, const qmcu_map *in, int32_t y,
                       int32_t x, int32_t c, int32_t sums[2])
{
    const qmcu_window *window = &params->window;
    sums[0] = 0;
    sums[1] = 0;
    for (int32_t ky = 0; ky < window->kernel_h; ky++) {
        for (int32_t kx = 0; kx < window->kernel_w; kx++) {
            const int32_t row = y + ky * window->dilation_h;
            const int32_t column = x + kx * window->dilation_w;
            const int inside = row >= 0 && row < in->h && column >= 0 && column < in->w;
            const uint8_t *codes = inside ? qmcu_at(in, row, column, 0) : in->data;
            for (int32_t i = 0; i < in->channels; i++) {
                const int32_t outside = params->pad_codes != NULL ? params->pad_codes[i] : 0;
                const int32_t code = inside ? qmcu_code(codes, (uint32_t)i, in->format) : outside;
                int32_t pair[2];
                weights_of(shape, params->weights, c, (uint32_t)((ky * window->kernel_w + kx) * in->channels + i),
                           pair);
                sums[0] += pair[0] * code;
                sums[1] += pair[1] * code;
            }
        }
    }
}

/* The code of a sum of channel c; biases and multipliers stand as qmcu_conv2d_dsp_packed.h says. */
static int32_t packed_code_of(const qmcu_pack_shape *shape, const qmcu_requant *requant, int32_t c, int32_t sum)
{
    const int32_t *scale = requant->bias + (4 * (c / 2) + c % 2);
    const uint32_t half = shape->kind == QMCU_PACK_WORDS ? 1u << (QMCU_PACK_PIXEL - 1u)
                          : c % 2 == 0                   ? 1u << (QMCU_PACK_HALF_BITS - 1u)
                                                         : 0u;
    const int32_t a = (int32_t)((((uint32_t)sum + half) << shape->pre_shift) + (uint32_t)scale[0]);
    const int32_t y = (qmcu_mulhi(a, scale[2]) + (int32_t)(1u << (shape->shift - 1u))) >> shape->shift;
    return qmcu_clamp(y, requant->min, requant->max_table != NULL ? requant->max_table[c] : requant->max);
}

void qmcu_convolve_packed_plain(const qmcu_pack_shape *shape, const qmcu_conv2d_params *params, const qmcu_map *in,
                                const qmcu_map *out)
{
    const qmcu_window *window = &params->window;
    for (int32_t oy = 0; oy < out->h; oy++) {
        for (int32_t ox = 0; ox < out->w; ox++) {
            const int32_t y = oy * window->stride_h - window->pad_top;
            const int32_t x = ox * window->stride_w - window->pad_left;
            uint8_t *to = qmcu_at(out, oy, ox, 0);
            for (int32_t c = 0; c < out->channels; c += 2) {
                int32_t sums[2];
                sum_window(shape, params, in, y, x, c, sums);
                const int32_t a = packed_code_of(shape, &params->requant, c, sums[0]);
                const int32_t b = packed_code_of(shape, &params->requant, c + 1, sums[1]);
                if (shape->format < QMCU_U4) {
                    const int32_t pair = (a & 3) | (b & 3) << 2;
                    to[c / 4] = (uint8_t)(c % 4 == 0 ? pair : to[c / 4] | pair << 4);
                } else if (shape->format < QMCU_U8) {
                    *to++ = (uint8_t)((a & 15) | (b & 15) << 4);
                } else {
                    *to++ = (uint8_t)a;
                    *to++ = (uint8_t)b;
                }
            }
        }
    }
}
