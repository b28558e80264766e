/*
 * QuantMCU runtime: some pixels of a convolution times all output channels, for the vector extension Helium. Not
 * part of the interface.
 *
 * Four output channels at a time; the codes under the pixels' windows lie in memory as bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_MVE_BLOCK_H
#define QMCU_CONV2D_MVE_BLOCK_H

#include "qmcu_conv2d_mve_columns.h"
#include "qmcu_conv2d_mve_dot.h"

#if QMCU_MVE

/* Pixels for which four channels' weights and factors stay in registers; of codes that are read where they are. */
#define QMCU_MVE_BLOCK_PIXELS 16
/*
 * Bytes of four rows that are copied where reading past them would leave the array: whole vectors of four rows of 64.
 */
#define QMCU_MVE_COPIED_ROWS 256
#ifdef QMCU_MVE_FOURS
#define QMCU_MVE_IN_PLACE_PIXELS 64
#else
#define QMCU_MVE_IN_PLACE_PIXELS QMCU_MVE_BLOCK_PIXELS
#endif

/* What every pixel of one call needs. */
typedef struct {
    qmcu_mve_columns columns;
    const uint8_t *weights;
    const qmcu_map *out;
    qmcu_mve_scale scale;
    uint32_t length;      /* of a column */
    int32_t out_channels; /* per group */
    uint32_t pair_bytes;  /* of the weights of two output channels */
    int32_t fours;        /* times four channels of a group whose weights can be read in whole vectors */
    int32_t fours8;       /* the same of 8-bit weights, with one that is copied where rows are short */
    int in_place;         /* codes are read where they are in the input */
} qmcu_mve_convolution;

/* The codes under the windows of some pixels of one row, and where their outputs go. */
typedef struct {
    const uint8_t *x;
    int32_t x_next; /* bytes from one pixel's codes to the next's */
    int32_t pixels; /* <= QMCU_MVE_BLOCK_PIXELS, or QMCU_MVE_IN_PLACE_PIXELS */
    uint8_t *to;
    int32_t to_next;
} qmcu_mve_block;

#ifdef QMCU_MVE_FOURS
typedef void qmcu_mve_fours_function(const qmcu_mve_four *k, const uint8_t *x, uint8_t *to);

/* Indexed by the bits of the output (4, 8), whether rows have an odd length, and whether codes are unsigned. */
static qmcu_mve_fours_function *const qmcu_mve_fours_functions[2][2][2] = {
    {{qmcu_mve_fours_s4, qmcu_mve_fours_u4}, {qmcu_mve_odd_fours_s4, qmcu_mve_odd_fours_u4}},
    {{qmcu_mve_fours_s8, qmcu_mve_fours_u8}, {qmcu_mve_odd_fours_s8, qmcu_mve_odd_fours_u8}}};

/*
 * Four output channels at a time, whose rows of 8-bit weights words begin; of the last, past which there may be nothing
 * to read, a copy.
 */
static void qmcu_mve_convolve_fours8(int is_unsigned, const qmcu_mve_convolution *conv, const qmcu_mve_block *pixels,
                                     const int8_t *w, int32_t o)
{
    QMCU_ALIGN(4) int8_t last[QMCU_MVE_COPIED_ROWS];
    const uint32_t bits = qmcu_bits(conv->out->format);
    const uint32_t shift = conv->length % 2u;
    const int32_t iterations = (int32_t)((conv->length + shift + 15u) / 16u);
    qmcu_mve_fours_function *const function = qmcu_mve_fours_functions[bits == 8u][shift][is_unsigned];
    uint8_t *to = pixels->to + (uint32_t)o * bits / 8u;
    qmcu_mve_four four = {.pre_shift = conv->scale.pre_shift,
                          .shift = conv->scale.shift,
                          .x_next = pixels->x_next - 16 * iterations,
                          .to_next = pixels->to_next,
                          .iterations = iterations,
                          .pixels = pixels->pixels,
                          .powers = {1, 16, 256, 4096}};
    vstrwq_s32(four.min, vdupq_n_s32(conv->scale.requant->min));
    for (int32_t i = 0; i < conv->fours8; i++) {
        const qmcu_mve_channels k = qmcu_mve_channels_from(&conv->scale, o, vctp32q(4u));
        if (i == conv->fours) {
            int8_t *copied = last;
            for (int32_t left = 2 * (int32_t)conv->pair_bytes; left > 0; left -= 16) {
                vstrbq_s8(copied, vldrbq_z_s8(w, vctp8q((uint32_t)left)));
                copied += 16;
                w += 16;
            }
            w = last;
        }
        four.a = w;
        four.b = w + conv->pair_bytes - 2u * shift;
        vstrwq_s32(four.multiplier, k.multiplier);
        vstrwq_s32(four.max, k.max);
        vstrwq_s32(four.bias,
                   is_unsigned ? vaddq_s32(k.bias, qmcu_mve_sums_of_rows(four.a, four.b, iterations)) : k.bias);
        function(&four, pixels->x, to);
        w += 2u * conv->pair_bytes;
        o += 4;
        to += bits / 2u;
    }
}
#endif

/*
 * Four output channels at a time of the `fours` whose weights can be read in whole vectors: what is read past a row
 * counts nothing, since the codes go on with zeros. `firsts` holds what the sums of each pixel begin with.
 */
QMCU_INLINE void qmcu_mve_convolve_fours(int is_unsigned, uint32_t weight_bits, uint32_t shift, uint32_t bits,
                                         const qmcu_mve_convolution *conv, const qmcu_mve_block *pixels,
                                         const int32_t *firsts, const int8_t *w, int32_t o)
{
    static const uint32_t powers_of_16[4] = {1u, 16u, 256u, 4096u};
    const uint32_t iterations = (conv->length + shift + 15u) / 16u;
    const int32_t pre_shift = conv->scale.pre_shift;
    const int32_t right = conv->scale.shift;
    uint8_t *first_to = pixels->to + (uint32_t)o * bits / 8u;
    for (int32_t fours = conv->fours; fours > 0; fours--) {
        const qmcu_mve_channels k = qmcu_mve_channels_from(&conv->scale, o, vctp32q(4u));
        const int32x4_t min = vdupq_n_s32(conv->scale.requant->min);
        const int8_t *b = w + conv->pair_bytes - 2u * shift;
        const uint8_t *x = pixels->x;
        uint8_t *to = first_to;
        for (int32_t p = 0; p < pixels->pixels; p++) {
            const int32_t first = is_unsigned ? firsts[p] : 0;
            const int32x4_t acc = weight_bits == 8u
                                      ? qmcu_mve_dot8_whole(is_unsigned, first, x, w, b, shift, iterations)
                                      : qmcu_mve_dot4_whole(is_unsigned, first, x, w, b, iterations);
            const int32x4_t a = vshlq_r_s32(vaddq_s32(acc, k.bias), pre_shift);
            const int32x4_t y = vrshlq_n_s32(vmulhq_s32(a, k.multiplier), right);
            const int32x4_t codes = vminq_s32(vmaxq_s32(y, min), k.max);
            if (bits == 8u) {
                vstrbq_s32((int8_t *)to, codes);
            } else {
                /* Codes side by side: the sum of their products with powers of 16. */
                const uint32x4_t masked = vandq_u32(vreinterpretq_u32_s32(codes), vdupq_n_u32(15u));
                const uint32_t four = vmladavq_u32(masked, vldrwq_u32(powers_of_16));
                to[0] = (uint8_t)four;
                to[1] = (uint8_t)(four >> 8);
            }
            x += pixels->x_next;
            to += pixels->to_next;
        }
        w += 2u * conv->pair_bytes;
        o += 4;
        first_to += bits / 2u;
    }
}

/* The `fours` of other rows. */
QMCU_INLINE void qmcu_mve_convolve_others(int is_unsigned, uint32_t weight_bits, const qmcu_mve_convolution *conv,
                                          const qmcu_mve_block *pixels, const int8_t *w, int32_t o)
{
    const uint32_t bits = qmcu_bits(conv->out->format);
    const uint32_t padded = (conv->length + 15u) & ~15u;
    int32_t firsts[QMCU_MVE_BLOCK_PIXELS];
    for (int32_t p = 0; is_unsigned && p < pixels->pixels; p++) {
        firsts[p] = qmcu_mve_first_sum(pixels->x + p * pixels->x_next, padded);
    }
    if (weight_bits == 8u && conv->length % 2u != 0u) {
        qmcu_mve_convolve_fours(is_unsigned, weight_bits, 1u, bits == 8u ? 8u : 4u, conv, pixels, firsts, w, o);
    } else if (bits == 8u) {
        qmcu_mve_convolve_fours(is_unsigned, weight_bits, 0u, 8u, conv, pixels, firsts, w, o);
    } else {
        qmcu_mve_convolve_fours(is_unsigned, weight_bits, 0u, 4u, conv, pixels, firsts, w, o);
    }
}

/* All output channels of group g for a block; the codes of a pixel go on with zeros, or their number is a multiple
 * of 16. */
QMCU_INLINE void qmcu_mve_convolve_block(int is_unsigned, uint32_t weight_bits, const qmcu_mve_convolution *conv,
                                         const qmcu_mve_block *pixels, uint32_t g)
{
    const uint32_t n = conv->length;
    const uint32_t bits = qmcu_bits(conv->out->format);
    const uint32_t padded = (n + 15u) & ~15u;
    const int8_t *w = (const int8_t *)conv->weights + g * (uint32_t)((conv->out_channels + 1) / 2) * conv->pair_bytes;
    int32_t o = (int32_t)g * conv->out_channels;
    int32_t done = 0;
    if ((bits == 8u || (bits == 4u && o % 2 == 0)) && (weight_bits == 4u || ((uintptr_t)w & 3u) == 0u)) {
#ifdef QMCU_MVE_FOURS
        if (weight_bits == 8u) {
            qmcu_mve_convolve_fours8(is_unsigned, conv, pixels, w, o);
            done = 4 * conv->fours8;
        } else
#endif
        {
            qmcu_mve_convolve_others(is_unsigned, weight_bits, conv, pixels, w, o);
            done = 4 * conv->fours;
        }
    }
    w += (uint32_t)done / 2u * conv->pair_bytes;
    o += done;
    for (int32_t left = conv->out_channels - done; left > 0; left -= 4) {
        const int32_t count = qmcu_min(4, left);
        const qmcu_mve_channels k = qmcu_mve_channels_from(&conv->scale, o, vctp32q((uint32_t)count));
        const int8_t *next = left > 2 ? w + conv->pair_bytes : w;
        const uint8_t *x = pixels->x;
        uint8_t *to = pixels->to;
        for (int32_t p = 0; p < pixels->pixels; p++) {
            const int32_t first = is_unsigned ? qmcu_mve_first_sum(x, weight_bits == 8u ? n & ~15u : padded) : 0;
            const int32x4_t acc = weight_bits == 8u ? qmcu_mve_dot8(is_unsigned, first, x, w, next, n)
                                                    : qmcu_mve_dot4(is_unsigned, first, x, w, next, n);
            qmcu_mve_write4(to, bits, o, count, qmcu_mve_requantize(&conv->scale, &k, acc));
            x += pixels->x_next;
            to += pixels->to_next;
        }
        w = next + conv->pair_bytes;
        o += 4;
    }
}

#endif /* QMCU_MVE */

#endif /* QMCU_CONV2D_MVE_BLOCK_H */
