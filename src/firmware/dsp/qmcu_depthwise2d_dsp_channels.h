/*
 * QuantMCU runtime: rows of two channels of a depthwise convolution, with the DSP extension. Not part of the interface.
 *
 * A channel's codes are 16-bit numbers, padding included: a word holds two neighbors, and SMLAD multiplies two taps at
 * a time. Groups of four columns follow each other; within a group, rows do, of each the four codes of the first
 * channel and the four of the second: so the rows under a window are reached by constant offsets from one pointer. Four
 * outputs share each load. As with qmcu_conv2d_dsp_block.h, the loops are inlined into functions that share their code
 * between layers or are made for one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_DSP_CHANNELS_H
#define QMCU_DEPTHWISE2D_DSP_CHANNELS_H

#include "qmcu_requantize.h"

#if QMCU_DSP

#define QMCU_ROW_LARGEST_KERNEL 5

/* What the loops of a row are made for. */
typedef struct {
    uint32_t kernel;  /* 3 or 5, in both directions */
    uint32_t stride;  /* 1 or 2 */
    uint32_t format;  /* of the output; its smallest code is the lower bound */
    uint32_t bounded; /* at unsigned codes: 1: the requant's bounds are below the largest; 0: the format's largest code
                         is the upper bound */
    uint32_t pre_shift; /* as the requant's; or 0 where that is at most 8, and does not matter to the loops */
    uint32_t shift;
    int32_t pixel_bytes; /* of the output; 0: as many as the call says */
    uint32_t rows;       /* of a group of columns; 0: as many as the call says */
    uint32_t polynomial; /* 1: computed by qmcu_depthwise2d_dsp_polynomial.h */
} qmcu_row_shape;

/* Words of a row of taps: (0, 1), (2, 3) and then (1, 2), (3, 4). */
#define QMCU_ROW_TAP_WORDS(kernel) ((kernel)-1u)

/* As much of the shift before the multiplication as weights of 8 bits, of which 16 are kept, leave room for is done to
 * them and to the bias, once for all outputs. */
#define QMCU_ROW_FOLDED(pre_shift) ((pre_shift) < 8u ? (pre_shift) : 8u)

/*
 * A channel's weights and scale. An upper bound below the format's largest code is met by saturating codes to which the
 * difference was added, and then subtracting it from them, at most to 0: two bounds for one instruction more than one.
 */
typedef struct {
    QMCU_ALIGN(8) uint32_t taps[QMCU_ROW_LARGEST_KERNEL * QMCU_ROW_TAP_WORDS(QMCU_ROW_LARGEST_KERNEL)];
    int32_t bias;   /* in the sums' units; of polynomials, in two halves, see qmcu_depthwise2d_dsp_polynomial.h */
    uint32_t above; /* the format's largest code less the upper bound; 0 where the shape is not bounded */
    int32_t multiplier;
    int32_t round;  /* half of a code in the product's units, and `above` codes */
    uint32_t place; /* of 2-bit codes in their byte */
    uint32_t keep;  /* and the bits of the byte that writing them leaves as they are: the other pair's may be codes of
                       the input */
} qmcu_row_weights;

/* Bytes of a row of both channels in a group of columns. */
#define QMCU_ROW_BYTES 16

/* One call: some rows of both channels. */
typedef struct {
    const qmcu_row_shape *shape;
    const qmcu_row_weights *weights; /* of both channels */
    const uint8_t *x;                /* first group of columns, in the first row */
    int32_t group;                   /* bytes from one group of columns to the next */
    int32_t rows;                    /* of outputs */
    int32_t count;                   /* of outputs in a row */
    uint8_t *to;
    int32_t to_next_row;
    int32_t pixel_bytes; /* of the output */
} qmcu_row;

/* From a pixel of the output to the next. */
#define QMCU_ROW_NEXT(shape, row) ((shape)->pixel_bytes != 0 ? (shape)->pixel_bytes : (row)->pixel_bytes)

typedef void qmcu_row_function(const qmcu_row *row);

typedef struct {
    int32_t s0;
    int32_t s1;
    int32_t s2;
    int32_t s3;
} qmcu_row_sums;

/*
 * An output whose first tap is the first number of word x[0]; `w` are words (0, 1), (2, 3) and v words (1, 2), (3, 4).
 * The last tap is the second number of v's last word.
 */
QMCU_INLINE int32_t qmcu_row_even(uint32_t kernel, int first, int32_t sum, const uint32_t *x, const uint32_t *w,
                                  const uint32_t *v)
{
    sum = first ? qmcu_smlad_from(x[0], w[0], sum) : qmcu_smlad(x[0], w[0], sum);
    if (kernel == 5u) {
        sum = qmcu_smlad(x[1], w[1], sum);
        return qmcu_smlabt(x[2], v[1], sum);
    }
    return qmcu_smlabt(x[1], v[0], sum);
}

/* An output whose first tap is the second number of x[0]. */
QMCU_INLINE int32_t qmcu_row_odd(uint32_t kernel, int first, int32_t sum, const uint32_t *x, const uint32_t *w,
                                 const uint32_t *v)
{
    sum = first ? qmcu_smlatb_from(x[0], w[0], sum) : qmcu_smlatb(x[0], w[0], sum);
    sum = qmcu_smlad(x[1], v[0], sum);
    return kernel == 5u ? qmcu_smlad(x[2], v[1], sum) : sum;
}

/* Adds row i to the first two, or all four, outputs; x are their group of columns and the next two. Loads stand before
 * their uses: there are no registers to hold more. */
QMCU_INLINE void qmcu_row_add(uint32_t kernel, uint32_t stride, uint32_t outputs, uint32_t i, qmcu_row_sums *s,
                              const uint8_t *const x[3], const uint32_t *taps)
{
    const int first = i == 0u;
    const int32_t s0 = first ? s->s3 : s->s0;
    const int32_t s1 = first ? s->s3 : s->s1;
    const int32_t s2 = first ? s->s3 : s->s2;
    const uint32_t at = QMCU_ROW_BYTES * i;
    const qmcu_words t0 = qmcu_load_two(taps, 4u * QMCU_ROW_TAP_WORDS(kernel) * i);
    const qmcu_words t1 = kernel == 5u ? qmcu_load_two(taps, 4u * QMCU_ROW_TAP_WORDS(kernel) * i + 8u) : t0;
    const uint32_t w[2] = {t0.first, kernel == 5u ? t0.second : 0u};
    const uint32_t v[2] = {kernel == 5u ? t1.first : t0.second, kernel == 5u ? t1.second : 0u};
    const qmcu_words x01 = qmcu_load_two(x[0], at);
    uint32_t c[6] = {x01.first, x01.second, 0u, 0u, 0u, 0u};
    if (kernel == 3u) {
        s->s0 = qmcu_row_even(3u, first, s0, c, w, v);
        if (stride == 1u) {
            s->s1 = qmcu_row_odd(3u, first, s1, c, w, v);
            if (outputs > 2u) {
                c[2] = qmcu_load(x[1] + at);
                s->s2 = qmcu_row_even(3u, first, s2, c + 1, w, v);
                s->s3 = qmcu_row_odd(3u, 0, s->s3, c + 1, w, v);
            }
            return;
        }
        const qmcu_words x23 = qmcu_load_two(x[1], at);
        c[2] = x23.first;
        c[3] = x23.second;
        s->s1 = qmcu_row_even(3u, first, s1, c + 1, w, v);
        if (outputs > 2u) {
            s->s2 = qmcu_row_even(3u, first, s2, c + 2, w, v);
            c[4] = qmcu_load(x[2] + at);
            s->s3 = qmcu_row_even(3u, 0, s->s3, c + 3, w, v);
        }
        return;
    }
    const qmcu_words x23 = qmcu_load_two(x[1], at);
    c[2] = x23.first;
    c[3] = x23.second;
    s->s0 = qmcu_row_even(5u, first, s0, c, w, v);
    if (stride == 1u) {
        s->s1 = qmcu_row_odd(5u, first, s1, c, w, v);
        s->s2 = qmcu_row_even(5u, first, s2, c + 1, w, v);
        s->s3 = qmcu_row_odd(5u, 0, s->s3, c + 1, w, v);
        return;
    }
    s->s1 = qmcu_row_even(5u, first, s1, c + 1, w, v);
    const qmcu_words x45 = qmcu_load_two(x[2], at);
    c[4] = x45.first;
    c[5] = x45.second;
    s->s2 = qmcu_row_even(5u, first, s2, c + 2, w, v);
    s->s3 = qmcu_row_even(5u, 0, s->s3, c + 3, w, v);
}

/* The sums of two or four adjacent outputs. */
QMCU_INLINE qmcu_row_sums qmcu_row_some(const qmcu_row_shape *shape, uint32_t outputs, int32_t bias, const uint8_t *x,
                                        int32_t group, const uint32_t *taps)
{
    const uint8_t *const groups[3] = {x, x + group, x + 2 * group};
    qmcu_row_sums s = {0, 0, 0, bias};
    qmcu_row_add(shape->kernel, shape->stride, outputs, 0u, &s, groups, taps);
    qmcu_row_add(shape->kernel, shape->stride, outputs, 1u, &s, groups, taps);
    qmcu_row_add(shape->kernel, shape->stride, outputs, 2u, &s, groups, taps);
    if (shape->kernel == 5u) {
        qmcu_row_add(5u, shape->stride, outputs, 3u, &s, groups, taps);
        qmcu_row_add(5u, shape->stride, outputs, 4u, &s, groups, taps);
    }
    return s;
}

/* What makes codes of a channel's sums. */
typedef struct {
    int32_t multiplier;
    int32_t round;
    uint32_t above;
    uint32_t place;
    uint32_t keep;
} qmcu_row_scale;

/* Writes the code y / 2^shift. `second`: it is the second of its byte at 4 bits; the first is there. */
QMCU_INLINE void qmcu_row_put(const qmcu_row_shape *shape, uint32_t shift, qmcu_row_scale scale, int second, int32_t y,
                              uint8_t *to)
{
    uint32_t code;
    switch (shape->format) {
    case QMCU_U8:
        code = (uint32_t)qmcu_usat8_shifted(y, shift);
        to[0] = (uint8_t)(shape->bounded != 0u ? qmcu_uqsub8(code, scale.above) : code);
        return;
    case QMCU_S8:
        to[0] = (uint8_t)qmcu_ssat8_shifted(y, shift);
        return;
    case QMCU_U4:
        code = (uint32_t)qmcu_usat4_shifted(y, shift);
        code = shape->bounded != 0u ? qmcu_uqsub8(code, scale.above) : code;
        break;
    case QMCU_S4:
        code = (uint32_t)qmcu_ssat4_shifted(y, shift) & 15u;
        break;
    case QMCU_U2:
        code = (uint32_t)qmcu_usat2_shifted(y, shift);
        code = shape->bounded != 0u ? qmcu_uqsub8(code, scale.above) : code;
        to[0] = (uint8_t)((to[0] & scale.keep) | code << scale.place);
        return;
    default:
        code = (uint32_t)qmcu_ssat2_shifted(y, shift) & 3u;
        to[0] = (uint8_t)((to[0] & scale.keep) | code << scale.place);
        return;
    }
    to[0] = (uint8_t)(second ? to[0] | code << 4 : code);
}

QMCU_INLINE void qmcu_row_write(const qmcu_row_shape *shape, qmcu_row_scale scale, int second, int32_t sum, uint8_t *to)
{
    const uint32_t pre_shift = shape->pre_shift - QMCU_ROW_FOLDED(shape->pre_shift);
    const int32_t y =
        qmcu_smmla(pre_shift != 0u ? qmcu_shift_left(sum, pre_shift) : sum, scale.multiplier, scale.round);
    qmcu_row_put(shape, shape->shift, scale, second, y, to);
}

/* The scale, loaded when sums are complete: before that there are no registers for it, except for what is the same for
 * all channels or read in advance. */
QMCU_INLINE qmcu_row_scale qmcu_row_scale_of(const qmcu_row_weights *weights, int32_t round)
{
    const qmcu_row_scale scale = {weights->multiplier, round, weights->above, weights->place, weights->keep};
    return scale;
}

/* Rounding that is known when the kernel is compiled where there is no upper bound. */
QMCU_INLINE int32_t qmcu_row_round(const qmcu_row_shape *shape, const qmcu_row_weights *weights)
{
    return shape->bounded != 0u ? weights->round : (int32_t)(1u << (shape->shift - 1u));
}

/* One row of a channel: `fours` bytes of pixels, four at a time, and the rest; where layers share it all rests in one
 * way. */
QMCU_INLINE void qmcu_row_one(const qmcu_row_shape *shape, const qmcu_row_weights *weights, const uint8_t *x,
                              int32_t group, int32_t fours, uint32_t rest, int32_t round, int32_t next, int second,
                              uint8_t *to)
{
    for (const uint8_t *end = to + fours; to != end;) {
        const qmcu_row_sums s = qmcu_row_some(shape, 4u, weights->bias, x, group, weights->taps);
        const qmcu_row_scale scale = qmcu_row_scale_of(weights, round);
        qmcu_row_write(shape, scale, second, s.s0, to);
        qmcu_row_write(shape, scale, second, s.s1, to + next);
        qmcu_row_write(shape, scale, second, s.s2, to + 2 * next);
        qmcu_row_write(shape, scale, second, s.s3, to + 3 * next);
        to += 4 * next;
        x += (int32_t)shape->stride * group;
        /* Otherwise the compiler works out by multiplications where loops leave pointers. */
        QMCU_OPAQUE(to);
        if (shape->kernel == 3u) {
            QMCU_OPAQUE(x);
        }
    }
    if (rest > (shape->pixel_bytes != 0 ? 2u : 0u)) {
        const qmcu_row_sums s = qmcu_row_some(shape, 4u, weights->bias, x, group, weights->taps);
        const qmcu_row_scale scale = qmcu_row_scale_of(weights, round);
        qmcu_row_write(shape, scale, second, s.s0, to);
        if (rest > 1u) {
            qmcu_row_write(shape, scale, second, s.s1, to + next);
        }
        if (rest > 2u) {
            qmcu_row_write(shape, scale, second, s.s2, to + 2 * next);
        }
    } else if (rest > 0u) {
        const qmcu_row_sums s = qmcu_row_some(shape, 2u, weights->bias, x, group, weights->taps);
        const qmcu_row_scale scale = qmcu_row_scale_of(weights, round);
        qmcu_row_write(shape, scale, second, s.s0, to);
        if (rest > 1u) {
            qmcu_row_write(shape, scale, second, s.s1, to + next);
        }
    }
}

/*
 * One row of a channel in a function that layers share: for all formats of this many bits at once, with less code.
 * Codes are saturated as signed numbers less the middle of the range of unsigned ones.
 */
QMCU_INLINE void qmcu_row_shared_one(const qmcu_row_shape *shape, const qmcu_row_weights *weights, const uint8_t *x,
                                     const qmcu_row *row, uint32_t channel, uint8_t *to)
{
    const uint32_t bits = qmcu_bits(shape->format);
    const uint32_t flip = (shape->format & 1u) != 0u ? 0u : 1u << (bits - 1u);
    const uint32_t pre_shift = shape->pre_shift - QMCU_ROW_FOLDED(shape->pre_shift);
    const int32_t round = weights->round - (int32_t)(flip << shape->shift);
    for (int32_t rest = row->count; rest > 0; rest -= 4) {
        const qmcu_row_sums s = qmcu_row_some(shape, 4u, weights->bias, x, row->group, weights->taps);
        const int32_t sums[4] = {s.s0, s.s1, s.s2, s.s3};
        for (int32_t i = 0; i < 4 && i < rest; i++) {
            const int32_t y =
                qmcu_smmla(qmcu_shift_left(sums[i], pre_shift), weights->multiplier, round) >> shape->shift;
            if (bits == 8u) {
                const uint32_t code = (uint32_t)qmcu_ssat8(y) ^ flip;
                to[0] = (uint8_t)qmcu_uqsub8(code, weights->above);
            } else {
                const uint32_t code = ((uint32_t)qmcu_ssat4(y) ^ flip) & 15u;
                const uint32_t least = qmcu_uqsub8(code, weights->above);
                to[0] = (uint8_t)(channel != 0u ? to[0] | least << 4 : least);
            }
            to += row->pixel_bytes;
        }
        x += (int32_t)shape->stride * row->group;
    }
}

QMCU_INLINE void qmcu_row_shared(const qmcu_row_shape *shape, const qmcu_row *row)
{
    for (uint32_t channel = 0u; channel < 2u; channel++) {
        const uint8_t *x = row->x + QMCU_ROW_BYTES / 2 * channel;
        uint8_t *to = row->to + (qmcu_bits(shape->format) == 8u ? channel : 0u);
        for (int32_t rows = row->rows; rows > 0; rows--) {
            qmcu_row_shared_one(shape, row->weights + channel, x, row, channel, to);
            x += QMCU_ROW_BYTES * shape->stride;
            to += row->to_next_row;
        }
    }
}

#endif /* QMCU_DSP */

#endif /* QMCU_DEPTHWISE2D_DSP_CHANNELS_H */
