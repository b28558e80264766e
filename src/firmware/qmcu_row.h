/*
 * QuantMCU runtime: one row of two channels of a depthwise convolution, with the DSP extension. Not part of the interface.
 *
 * A channel's codes are 16-bit numbers, padding included: a word holds two neighbors, and SMLAD multiplies two taps at a time. Of
 * each of the `kernel` rows under the windows there are four columns of the first channel and four of the second, then the next four
 * columns: one pointer and constant offsets reach all. A row that is not needed any more gives its place to the next one: so rows stand in rotated order, and the weights with
 * them. Four outputs share each load. As with qmcu_block.h, the loops are inlined into functions that share their code between layers
 * or are made for one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_ROW_H
#define QMCU_ROW_H

#include "qmcu_scale.h"

#if QMCU_DSP

#define QMCU_ROW_LARGEST_KERNEL 5

/* What the loops of a row are made for. */
typedef struct {
    uint32_t kernel;       /* 3 or 5, in both directions */
    uint32_t stride;       /* 1 or 2 */
    uint32_t format;       /* of the output: 8 or 4 bits; its smallest code is the lower bound */
    uint32_t bounded;      /* at unsigned codes: 1: the requant's bounds are below the largest; 0: the format's largest code is the upper bound */
    uint32_t pre_shift;
    uint32_t shift;
    int32_t bias_shift;
    int32_t pixel_bytes;   /* of the output */
} qmcu_row_shape;

/* Words of a row of taps: (0, 1), (2, 3) and then (1, 2), (3, 4). */
#define QMCU_ROW_TAP_WORDS(kernel) ((kernel) - 1u)

/* A channel's weights: the rows of taps, and all but the last again. */
typedef struct {
    QMCU_ALIGN(8) uint32_t taps[(2u * QMCU_ROW_LARGEST_KERNEL - 1u) * QMCU_ROW_TAP_WORDS(QMCU_ROW_LARGEST_KERNEL)];
    int32_t bias;          /* in the accumulator's units */
    int32_t multiplier;
    uint32_t max;          /* upper bound where the shape is bounded, otherwise 255 */
} qmcu_row_weights;

/* One call. */
typedef struct {
    const qmcu_row_shape *shape;
    const qmcu_row_weights *weights; /* of both channels */
    uint32_t turn;         /* tap words before those of the row in the first place */
    const int16_t *x;      /* first column */
    int32_t count;         /* of outputs */
    uint8_t *to;
} qmcu_row;

typedef void qmcu_row_function(const qmcu_row *row);

typedef struct {
    int32_t s0;
    int32_t s1;
    int32_t s2;
    int32_t s3;
} qmcu_row_sums;

/*
 * An output whose first tap is the first number of word x[0]; `w` are words (0, 1), (2, 3) and v words (1, 2), (3, 4). The last tap
 * is the second number of v's last word.
 */
QMCU_INLINE int32_t qmcu_row_even(uint32_t kernel, int first, int32_t sum, const uint32_t *x, const uint32_t *w, const uint32_t *v)
{
    sum = first ? qmcu_smlad_from(x[0], w[0], sum) : qmcu_smlad(x[0], w[0], sum);
    if (kernel == 5u) {
        sum = qmcu_smlad(x[1], w[1], sum);
        return qmcu_smlabt(x[2], v[1], sum);
    }
    return qmcu_smlabt(x[1], v[0], sum);
}

/* An output whose first tap is the second number of x[0]. */
QMCU_INLINE int32_t qmcu_row_odd(uint32_t kernel, int first, int32_t sum, const uint32_t *x, const uint32_t *w, const uint32_t *v)
{
    sum = first ? qmcu_smlatb_from(x[0], w[0], sum) : qmcu_smlatb(x[0], w[0], sum);
    sum = qmcu_smlad(x[1], v[0], sum);
    return kernel == 5u ? qmcu_smlad(x[2], v[1], sum) : sum;
}

/* Adds the row in place i to four outputs. */
QMCU_INLINE void qmcu_row_add(uint32_t kernel, uint32_t stride, uint32_t i, qmcu_row_sums *s, const int16_t *row, const uint32_t *taps)
{
    const int first = i == 0u;
    const uint32_t at = 16u * i;
    const uint32_t group = 16u * kernel; /* bytes */
    const qmcu_words t0 = qmcu_load_two(taps, 4u * QMCU_ROW_TAP_WORDS(kernel) * i);
    const qmcu_words t1 = kernel == 5u ? qmcu_load_two(taps, 4u * QMCU_ROW_TAP_WORDS(kernel) * i + 8u) : t0;
    const uint32_t w[2] = { t0.first, kernel == 5u ? t0.second : 0u };
    const uint32_t v[2] = { kernel == 5u ? t1.first : t0.second, kernel == 5u ? t1.second : 0u };
    const qmcu_words x01 = qmcu_load_two(row, at);
    uint32_t x[6] = { x01.first, x01.second, 0u, 0u, 0u, 0u };
    if (kernel == 3u && stride == 1u) {
        x[2] = qmcu_load((const uint8_t *)row + (group + at));
    } else {
        const qmcu_words x23 = qmcu_load_two(row, group + at);
        x[2] = x23.first;
        x[3] = x23.second;
    }
    if (stride == 2u && kernel == 5u) {
        const qmcu_words x45 = qmcu_load_two(row, 2u * group + at);
        x[4] = x45.first;
        x[5] = x45.second;
    } else if (stride == 2u) {
        x[4] = qmcu_load((const uint8_t *)row + (2u * group + at));
    }
    if (stride == 1u) {
        s->s0 = qmcu_row_even(kernel, first, first ? s->s3 : s->s0, x, w, v);
        s->s1 = qmcu_row_odd(kernel, first, first ? s->s3 : s->s1, x, w, v);
        s->s2 = qmcu_row_even(kernel, first, first ? s->s3 : s->s2, x + 1, w, v);
        s->s3 = qmcu_row_odd(kernel, 0, s->s3, x + 1, w, v);
    } else {
        s->s0 = qmcu_row_even(kernel, first, first ? s->s3 : s->s0, x, w, v);
        s->s1 = qmcu_row_even(kernel, first, first ? s->s3 : s->s1, x + 1, w, v);
        s->s2 = qmcu_row_even(kernel, first, first ? s->s3 : s->s2, x + 2, w, v);
        s->s3 = qmcu_row_even(kernel, 0, s->s3, x + 3, w, v);
    }
}

/* Four sums of outputs beside each other. */
QMCU_INLINE qmcu_row_sums qmcu_row_four(const qmcu_row_shape *shape, int32_t bias, const int16_t *x, const uint32_t *taps)
{
    qmcu_row_sums s;
    s.s3 = bias;
    qmcu_row_add(shape->kernel, shape->stride, 0u, &s, x, taps);
    qmcu_row_add(shape->kernel, shape->stride, 1u, &s, x, taps);
    qmcu_row_add(shape->kernel, shape->stride, 2u, &s, x, taps);
    if (shape->kernel == 5u) {
        qmcu_row_add(5u, shape->stride, 3u, &s, x, taps);
        qmcu_row_add(5u, shape->stride, 4u, &s, x, taps);
    }
    return s;
}

/* `second`: the output is the second of its byte at 4 bits; the first is there. */
QMCU_INLINE void qmcu_row_write(const qmcu_row_shape *shape, int32_t multiplier, uint32_t max, int second, int32_t sum, uint8_t *to)
{
    const int32_t a = shape->pre_shift != 0u ? qmcu_shift_left(sum, shape->pre_shift) : sum;
    const int32_t y = qmcu_smmla(a, multiplier, (int32_t)(1u << (shape->shift - 1u)));
    uint32_t code;
    switch (shape->format) {
    case QMCU_U8:
        code = (uint32_t)qmcu_usat8_shifted(y, shape->shift);
        to[0] = (uint8_t)(shape->bounded != 0u ? qmcu_ssub8(max, qmcu_uqsub8(max, code)) : code);
        return;
    case QMCU_S8:
        to[0] = (uint8_t)qmcu_ssat8_shifted(y, shape->shift);
        return;
    case QMCU_U4:
        code = (uint32_t)qmcu_usat4_shifted(y, shape->shift);
        code = shape->bounded != 0u ? qmcu_ssub8(max, qmcu_uqsub8(max, code)) : code;
        break;
    default:
        code = (uint32_t)qmcu_ssat4_shifted(y, shape->shift) & 15u;
        break;
    }
    to[0] = (uint8_t)(second ? to[0] | code << 4 : code);
}

/* One channel. */
QMCU_INLINE void qmcu_row_channel(const qmcu_row_shape *shape, const qmcu_row_weights *weights, const uint32_t *taps, const int16_t *x, int32_t count, int second, uint8_t *to)
{
    const int32_t next = shape->pixel_bytes;
    const int32_t bias = weights->bias;
    const int32_t multiplier = weights->multiplier;
    const uint32_t max = weights->max;
    const int32_t rest = count % 4;
    for (int32_t fours = count / 4; fours > 0; fours--) {
        const qmcu_row_sums s = qmcu_row_four(shape, bias, x, taps);
        qmcu_row_write(shape, multiplier, max, second, s.s0, to);
        qmcu_row_write(shape, multiplier, max, second, s.s1, to + next);
        qmcu_row_write(shape, multiplier, max, second, s.s2, to + 2 * next);
        qmcu_row_write(shape, multiplier, max, second, s.s3, to + 3 * next);
        to += 4 * next;
        x += 8u * shape->kernel * shape->stride;
    }
    if (rest > 0) {
        const qmcu_row_sums s = qmcu_row_four(shape, bias, x, taps);
        qmcu_row_write(shape, multiplier, max, second, s.s0, to);
        if (rest > 1) {
            qmcu_row_write(shape, multiplier, max, second, s.s1, to + next);
        }
        if (rest > 2) {
            qmcu_row_write(shape, multiplier, max, second, s.s2, to + 2 * next);
        }
    }
}

/* Both channels. Inlined with constants in as many members of the shape as the function is made for, the kernel and stride at least. */
QMCU_INLINE void qmcu_row_all(const qmcu_row_shape *shape, const qmcu_row *row)
{
    if (shape->format < QMCU_U8) {
        qmcu_row_channel(shape, row->weights, row->weights[0].taps + row->turn, row->x, row->count, 0, row->to);
        qmcu_row_channel(shape, row->weights + 1, row->weights[1].taps + row->turn, row->x + 4, row->count, 1, row->to);
        return;
    }
    for (uint32_t channel = 0u; channel < 2u; channel++) {
        const qmcu_row_weights *weights = row->weights + channel;
        qmcu_row_channel(shape, weights, weights->taps + row->turn, row->x + 4u * channel, row->count, 0, row->to + channel);
    }
}

/*
 * Both channels in a function that layers share: for all formats of so many bits at once, with less code. Codes are saturated as signed
 * numbers less the middle of the range of unsigned ones.
 */
QMCU_INLINE void qmcu_row_shared_channel(const qmcu_row_shape *shape, const qmcu_row_weights *weights, const qmcu_row *row, uint32_t channel)
{
    const uint32_t bits = qmcu_bits(shape->format);
    const uint32_t flip = (shape->format & 1u) != 0u ? 0u : 1u << (bits - 1u);
    const int32_t round = (int32_t)(1u << (shape->shift - 1u)) - (int32_t)(flip << shape->shift);
    const uint32_t *taps = weights->taps + row->turn;
    const int16_t *x = row->x + 4u * channel;
    uint8_t *to = row->to + (bits == 8u ? channel : 0u);
    for (int32_t rest = row->count; rest > 0; rest -= 4) {
        const qmcu_row_sums s = qmcu_row_four(shape, weights->bias, x, taps);
        const int32_t sums[4] = { s.s0, s.s1, s.s2, s.s3 };
        for (int32_t i = 0; i < 4 && i < rest; i++) {
            const int32_t y = qmcu_smmla(qmcu_shift_left(sums[i], shape->pre_shift), weights->multiplier, round) >> shape->shift;
            if (bits == 8u) {
                const uint32_t code = (uint32_t)qmcu_ssat8(y) ^ flip;
                to[0] = (uint8_t)qmcu_ssub8(weights->max, qmcu_uqsub8(weights->max, code));
            } else {
                const uint32_t code = ((uint32_t)qmcu_ssat4(y) ^ flip) & 15u;
                const uint32_t least = qmcu_ssub8(weights->max, qmcu_uqsub8(weights->max, code));
                to[0] = (uint8_t)(channel != 0u ? to[0] | least << 4 : least);
            }
            to += shape->pixel_bytes;
        }
        x += 8u * shape->kernel * shape->stride;
    }
}

QMCU_INLINE void qmcu_row_shared(const qmcu_row_shape *shape, const qmcu_row *row)
{
    for (uint32_t channel = 0u; channel < 2u; channel++) {
        qmcu_row_shared_channel(shape, row->weights + channel, row, channel);
    }
}

#endif /* QMCU_DSP */

#endif /* QMCU_ROW_H */
