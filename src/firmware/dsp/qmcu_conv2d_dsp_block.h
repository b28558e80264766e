/*
 * QuantMCU runtime: four pixels times all output channels of a convolution, with the DSP extension. Not part of the
 * interface.
 *
 * The sums of qmcu_conv2d_dsp_block_sums.h become codes, two output channels after the other. The loops are
 * inlined into functions of which some share their code between all layers and others are made for one layer, whose
 * qmcu_block_shape is then a constant.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_BLOCK_H
#define QMCU_CONV2D_DSP_BLOCK_H

#include "qmcu_conv2d_dsp_block_sums.h"
#include "qmcu_requantize.h"

#if QMCU_DSP

/* What the loops of a block are made for. */
typedef struct {
    uint32_t length;      /* codes of a column */
    uint32_t weight_bits; /* 8 or 4 */
    uint32_t format;      /* of the output; its smallest code is the lower bound */
    uint32_t bounded; /* at unsigned codes: 1: requant's bounds are below the largest; 0: the format's largest code is
                         the upper bound */
    uint32_t folded;  /* the codes in the columns are 1 << folded times the map's; at most pre_shift, less 4 at 4-bit
                         weights */
    uint32_t pre_shift;
    uint32_t shift;
    int32_t bias_shift;
    int32_t pixel_bytes; /* of the output; 0: as many as the call says */
} qmcu_block_shape;

/* One call of a block. */
typedef struct {
    const qmcu_block_shape *shape;
    const int16_t *columns;
    const uint8_t *weights; /* of the first two channels */
    const qmcu_requant *requant;
    int32_t first;    /* output channel, even */
    int32_t channels; /* so many, even */
    uint8_t *to;      /* their codes in the first pixel; the others follow each other */
    /* Where columns come in parts: */
    uint32_t length;     /* of this part */
    int32_t *sums;       /* eight for each two channels, between the parts */
    int begins;          /* the first part */
    int ends;            /* the last part: codes are written */
    int32_t pixel_bytes; /* of the output */
} qmcu_block;

typedef void qmcu_block_function(const qmcu_block *block);

/* What the two channels' sums need to become codes. */
typedef struct {
    int32_t multiplier_a;
    int32_t multiplier_b;
    uint32_t bound; /* upper bounds, of b in the second byte */
} qmcu_block_scale;

/* From a sum to a code; bits above the format's may be set at signed ones. */
QMCU_INLINE uint32_t qmcu_block_code(const qmcu_block_shape *shape, int32_t sum, int32_t multiplier)
{
    const int32_t y = qmcu_smmla(sum, multiplier, (int32_t)(1u << (shape->shift - 1u)));
    switch (shape->format) {
    case QMCU_U8:
        return (uint32_t)qmcu_usat8_shifted(y, shape->shift);
    case QMCU_S8:
        return (uint32_t)qmcu_ssat8_shifted(y, shape->shift);
    case QMCU_U4:
        return (uint32_t)qmcu_usat4_shifted(y, shape->shift);
    case QMCU_S4:
        return (uint32_t)qmcu_ssat4_shifted(y, shape->shift);
    case QMCU_U2:
        return (uint32_t)qmcu_usat2_shifted(y, shape->shift);
    default:
        return (uint32_t)qmcu_ssat2_shifted(y, shape->shift);
    }
}

/* Shifts all sums up. */
QMCU_INLINE void qmcu_block_shift_up(qmcu_sums *s, uint32_t n)
{
    s->a0 = qmcu_shift_left(s->a0, n);
    s->a1 = qmcu_shift_left(s->a1, n);
    s->a2 = qmcu_shift_left(s->a2, n);
    s->a3 = qmcu_shift_left(s->a3, n);
    s->b0 = qmcu_shift_left(s->b0, n);
    s->b1 = qmcu_shift_left(s->b1, n);
    s->b2 = qmcu_shift_left(s->b2, n);
    s->b3 = qmcu_shift_left(s->b3, n);
}

/* Shifts all sums down, which loses nothing, and adds biases that could not begin them. */
QMCU_INLINE void qmcu_block_shift_down(qmcu_sums *s, uint32_t n, int32_t a, int32_t b)
{
    s->a0 = (s->a0 >> n) + a;
    s->a1 = (s->a1 >> n) + a;
    s->a2 = (s->a2 >> n) + a;
    s->a3 = (s->a3 >> n) + a;
    s->b0 = (s->b0 >> n) + b;
    s->b1 = (s->b1 >> n) + b;
    s->b2 = (s->b2 >> n) + b;
    s->b3 = (s->b3 >> n) + b;
}

/* Both codes of a pixel, those of a in the lower byte of a halfword, where they belong. Of 2 bits two pairs share a
 * byte, of which the first is written first; `high`: 4 for the second. */
QMCU_INLINE void qmcu_block_store(const qmcu_block_shape *shape, uint32_t high, uint32_t codes, uint8_t *to)
{
    if (shape->format < QMCU_U4) {
        const uint32_t pair = (codes & 3u) | (codes >> 6 & 12u);
        to[0] = (uint8_t)(high == 0u ? pair : to[0] | pair << 4);
    } else if (shape->format < QMCU_U8) {
        to[0] = (uint8_t)(codes | codes >> 4);
    } else {
        to[0] = (uint8_t)codes;
        to[1] = (uint8_t)(codes >> 8);
    }
}

/* The same from their sums. */
QMCU_INLINE void qmcu_block_write(const qmcu_block_shape *shape, const qmcu_block_scale *k, uint32_t high, int32_t a,
                                  int32_t b, uint8_t *to)
{
    const uint32_t code_a = qmcu_block_code(shape, a, k->multiplier_a);
    const uint32_t code_b = qmcu_block_code(shape, b, k->multiplier_b);
    if (shape->bounded != 0u) {
        /* min(code, bound) = bound - max(bound - code, 0), in both bytes at once. */
        qmcu_block_store(shape, high, qmcu_ssub8(k->bound, qmcu_uqsub8(k->bound, code_a | code_b << 8)), to);
    } else if (shape->format < QMCU_U4) {
        qmcu_block_store(shape, high, (code_a & 3u) | code_b << 8, to);
    } else if (shape->format < QMCU_U8) {
        to[0] = (uint8_t)((shape->format == QMCU_U4 ? code_a : code_a & 15u) | code_b << 4);
    } else {
        to[0] = (uint8_t)code_a;
        to[1] = (uint8_t)code_b;
    }
}

/* The codes of all four pixels. */
QMCU_INLINE void qmcu_block_write_all(const qmcu_block_shape *shape, const qmcu_block_scale *k, uint32_t high,
                                      const qmcu_sums *s, int32_t next, uint8_t *to)
{
    qmcu_block_write(shape, k, high, s->a0, s->b0, to);
    qmcu_block_write(shape, k, high, s->a1, s->b1, to + next);
    qmcu_block_write(shape, k, high, s->a2, s->b2, to + 2 * next);
    qmcu_block_write(shape, k, high, s->a3, s->b3, to + 3 * next);
}

/*
 * The same in a function that layers share, for 8 and 4 bits: for all formats of this many bits at once, with less
 * code. Codes are saturated as signed numbers less the middle of the range of unsigned ones.
 */
QMCU_INLINE void qmcu_block_write_shared(const qmcu_block_shape *shape, const qmcu_block_scale *k, const int32_t *sums,
                                         uint8_t *to)
{
    const uint32_t bits = qmcu_bits(shape->format);
    const uint32_t flip = (shape->format & 1u) != 0u ? 0u : 1u << (bits - 1u);
    const int32_t round = (int32_t)(1u << (shape->shift - 1u)) - (int32_t)(flip << shape->shift);
    for (uint32_t p = 0u; p < 4u; p++) {
        const int32_t a = qmcu_smmla(sums[p], k->multiplier_a, round) >> shape->shift;
        const int32_t b = qmcu_smmla(sums[4u + p], k->multiplier_b, round) >> shape->shift;
        if (bits == 8u) {
#if QMCU_CONV2D_BOUNDED
            const uint32_t codes = (((uint32_t)qmcu_ssat8(a) ^ flip) & 255u) | ((uint32_t)qmcu_ssat8(b) ^ flip) << 8;
            const uint32_t least = qmcu_ssub8(k->bound, qmcu_uqsub8(k->bound, codes));
            to[0] = (uint8_t)least;
            to[1] = (uint8_t)(least >> 8);
#else
            to[0] = (uint8_t)((uint32_t)qmcu_ssat8(a) ^ flip);
            to[1] = (uint8_t)((uint32_t)qmcu_ssat8(b) ^ flip);
#endif
        } else {
            const uint32_t codes = (((uint32_t)qmcu_ssat4(a) ^ flip) & 15u) | (((uint32_t)qmcu_ssat4(b) ^ flip) & 15u)
                                                                                  << 8;
            const uint32_t least = qmcu_ssub8(k->bound, qmcu_uqsub8(k->bound, codes));
            to[0] = (uint8_t)(least | least >> 4);
        }
        to += shape->pixel_bytes;
    }
}

/* Two channels' sums: of the pixels in turn. */
QMCU_INLINE void qmcu_block_keep(int32_t *sums, const qmcu_sums *s)
{
    sums[0] = s->a0;
    sums[1] = s->a1;
    sums[2] = s->a2;
    sums[3] = s->a3;
    sums[4] = s->b0;
    sums[5] = s->b1;
    sums[6] = s->b2;
    sums[7] = s->b3;
}

QMCU_INLINE void qmcu_block_recall(const int32_t *sums, qmcu_sums *s)
{
    s->a0 = sums[0];
    s->a1 = sums[1];
    s->a2 = sums[2];
    s->a3 = sums[3];
    s->b0 = sums[4];
    s->b1 = sums[5];
    s->b2 = sums[6];
    s->b3 = sums[7];
}

/* Where a block is between two pairs of channels. In memory while the products are summed, which takes all registers.
 */
typedef struct {
    const int32_t *bias;
    const int32_t *multiplier;
    const int16_t *max;
    uint8_t *to;
    uint32_t high; /* as in qmcu_block_store */
    int32_t *sums;
} qmcu_block_place;

#if defined(__arm__) && defined(__GNUC__) && !QMCU_EMULATE_DSP
#define QMCU_BLOCK_TO_MEMORY(place) __asm__("" : "+m"(place))
#else
#define QMCU_BLOCK_TO_MEMORY(place) ((void)0)
#endif

/*
 * The block itself. Inlined with constants for as many members of the shape as the function is made for; `parts`: 0:
 * made for a layer, 1: for none, 2: and the columns may come in parts.
 */
QMCU_INLINE void qmcu_block_all(const qmcu_block_shape *shape, int parts, const qmcu_block *block)
{
    const uint32_t scaled = shape->folded + (shape->weight_bits == 4u ? 4u : 0u);
    const uint32_t down = scaled > shape->pre_shift ? scaled - shape->pre_shift : 0u;
    const uint32_t up = scaled < shape->pre_shift ? shape->pre_shift - scaled : 0u;
    const uint32_t length = parts ? block->length : shape->length;
    const uint32_t pair_bytes = 2u * shape->length * shape->weight_bits / 8u;
    const qmcu_requant *requant = block->requant;
    const uint8_t *w = block->weights;
    const int32_t *end = requant->bias + (block->first + block->channels);
    qmcu_block_place place = {
        requant->bias + block->first, requant->multiplier + block->first, NULL, block->to, 0u, block->sums};
    qmcu_block_scale k;
    k.bound = shape->bounded != 0u ? (uint32_t)requant->max * 0x101u : 0xffffu;
    if (shape->bounded != 0u && requant->max_table != NULL) {
        place.max = requant->max_table + block->first;
    }
    do {
        qmcu_sums s;
        const int32_t a = qmcu_shift_bias(place.bias[0], shape->bias_shift);
        const int32_t b = qmcu_shift_bias(place.bias[1], shape->bias_shift);
        place.bias += 2;
        QMCU_BLOCK_TO_MEMORY(place);
        s.a3 = down != 0u ? 0 : qmcu_shift_left(a, scaled);
        s.b3 = down != 0u ? 0 : qmcu_shift_left(b, scaled);
        if (parts > 1) {
            if (block->begins) {
                s = qmcu_sums_of(s.a3, s.b3);
            } else {
                qmcu_block_recall(place.sums, &s);
            }
        }
        qmcu_block_dot(shape->weight_bits, parts > 1, length, &s, block->columns, w);
        w += pair_bytes;
        if (parts > 1 && !block->ends) {
            qmcu_block_keep(place.sums, &s);
            place.sums += 8;
            continue;
        }
        if (parts > 1 && !block->begins) {
            place.sums += 8;
        }
        if (down != 0u) {
            /* The biases again: registers are short. */
            const int32_t late_a = qmcu_shift_bias(place.bias[-2], shape->bias_shift);
            const int32_t late_b = qmcu_shift_bias(place.bias[-1], shape->bias_shift);
            qmcu_block_shift_down(&s, down, qmcu_shift_left(late_a, shape->pre_shift),
                                  qmcu_shift_left(late_b, shape->pre_shift));
        } else if (up != 0u) {
            qmcu_block_shift_up(&s, up);
        }
        k.multiplier_a = place.multiplier[0];
        k.multiplier_b = place.multiplier[1];
        place.multiplier += 2;
        if (shape->bounded != 0u && place.max != NULL) {
            k.bound = (uint32_t)place.max[0] | (uint32_t)place.max[1] << 8;
            place.max += 2;
        }
        if (parts) {
            const int32_t sums[8] = {s.a0, s.a1, s.a2, s.a3, s.b0, s.b1, s.b2, s.b3};
            qmcu_block_write_shared(shape, &k, sums, place.to);
        } else {
            const int32_t next = shape->pixel_bytes != 0 ? shape->pixel_bytes : block->pixel_bytes;
            qmcu_block_write_all(shape, &k, place.high, &s, next, place.to);
        }
        if (shape->format < QMCU_U4) {
            place.to += place.high / 4u;
            place.high ^= 4u;
        } else {
            place.to += shape->format < QMCU_U8 ? 1 : 2;
        }
    } while (place.bias != end);
}

#endif /* QMCU_DSP */

#endif /* QMCU_CONV2D_DSP_BLOCK_H */
