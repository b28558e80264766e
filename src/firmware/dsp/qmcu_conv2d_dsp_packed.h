/*
 * QuantMCU runtime: convolutions of few bits whose products several sums share a register for, with the DSP extension.
 * Not part of the interface.
 *
 * Blocks are four pixels times four output channels. Two numbers p and q that stand in one operand as p + (q << n) are
 * both multiplied by one instruction, and the sums of their products stand in one register in the same way, as long as
 * the lower one stays within n bits:
 *
 *   QMCU_PACK_HALVES   Weights of two channels in 16 bits, n = 12, and codes as they are: SMLAD multiplies two weights
 * of both channels. QMCU_PACK_WORDS    Codes of two pixels, n = 14, times 4-bit weights of two channels, n = 28: SMLAL
 * adds four products to 64 bits.
 *
 * Sums are flushed of their fields before they could outgrow them. Where the weights are so small that they never do,
 * that is once for the whole column. Elsewhere the columns are measured first: by Cauchy-Schwarz |sum of w * x| <=
 * sqrt(sum of w^2) * sqrt(sum of x^2). So the time of such a layer depends on the codes a little, its result does not.
 *
 * qmcu_requant of these layers has biases and multipliers in one table, and the biases as the sums need them: less the
 * half of a field's range with which fields begin, and shifted by pre_shift. For each two channels both biases, then
 * both multipliers; `multiplier` is unused.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_PACKED_H
#define QMCU_CONV2D_DSP_PACKED_H

#include "qmcu_conv2d_dsp_block.h"

#define QMCU_PACK_HALVES 0u
#define QMCU_PACK_WORDS  1u

/* Bits of the lower field of QMCU_PACK_HALVES; of QMCU_PACK_WORDS, the places of the second pixel and of the second
 * channel: sums stand at bits 0, 14, 28 and 42. */
#define QMCU_PACK_HALF_BITS 12u
#define QMCU_PACK_PIXEL     14u
#define QMCU_PACK_CHANNEL   28u

/* Most codes of an iteration of an unrolled loop. */
#define QMCU_PACK_UNROLL 32u

/* What a layer's kernel is made for. Loops that layers share are made for one with length 0: they know the kind,
 * unroll, format, bounded and shift of it alone. */
typedef struct {
    uint32_t kind;
    uint32_t length; /* codes of a column */
    uint32_t padded; /* the same with zeros after them: a multiple of unit, as the weights are stored */
    uint32_t unit;   /* codes that always fit: a multiple of 4, at most 16 */
    uint32_t unroll; /* even divisor of padded, at most QMCU_PACK_UNROLL: codes of an iteration of the loop over a whole
                        column */
    uint32_t always; /* whether the sums of whole columns always fit */
    uint32_t format; /* of the output and what follows: as in qmcu_block_shape (qmcu_conv2d_dsp_block.h) */
    uint32_t bounded;
    uint32_t pre_shift;
    uint32_t shift;
    int32_t pixel_bytes;
    const uint32_t *limits; /* largest sum of squares of 1, 2 ... units of codes whose sums of products fit */
} qmcu_pack_shape;

#if QMCU_DSP

/* One call. */
typedef struct {
    const int16_t *columns;
    const uint8_t *weights; /* of the first four channels */
    const qmcu_requant *requant;
    int32_t first;           /* output channel, a multiple of 4 */
    int32_t channels;        /* so many, a multiple of 4 */
    uint8_t *to;             /* their codes in the first pixel; the others follow each other */
    const uint8_t *segments; /* units after which sums are flushed, again and again; 0 at the end */
    uint32_t flushes;        /* how often they are flushed, parts before this one included */
    /* Where columns come in parts: */
    int32_t *sums; /* sixteen for each four channels, between the parts */
    int begins;
    int ends;
    const qmcu_pack_shape *shape;
} qmcu_pack_block;

typedef void qmcu_pack_function(const qmcu_pack_block *block);

/* QMCU_PACK_WORDS: sums of pixels 0 and 1, and 2 and 3, for channels 0 and 1 (a), and 2 and 3 (b). */
typedef struct {
    qmcu_long a01;
    qmcu_long a23;
    qmcu_long b01;
    qmcu_long b23;
} qmcu_pack_words;

/* The sums of four channels and four pixels; of each kind its own member. */
typedef struct {
    qmcu_sums halves;
    qmcu_pack_words words;
} qmcu_pack_sums;

/* One code of each pixel times one weight of each channel. */
QMCU_INLINE void qmcu_pack_words_step(qmcu_pack_words *p, const int16_t *x, const uint8_t *w, uint32_t step)
{
    const qmcu_words codes = qmcu_load_two(x, 8u * step);
    const qmcu_words weights = qmcu_load_two(w, 8u * step);
    p->a01 = qmcu_smlal(codes.first, weights.first, p->a01);
    p->a23 = qmcu_smlal(codes.second, weights.first, p->a23);
    p->b01 = qmcu_smlal(codes.first, weights.second, p->b01);
    p->b23 = qmcu_smlal(codes.second, weights.second, p->b23);
}

/* Two codes of each pixel times two weights of each channel. */
QMCU_INLINE void qmcu_pack_halves_step(qmcu_sums *s, const int16_t *x, const uint8_t *w, uint32_t step)
{
    const qmcu_words weights = qmcu_load_two(w, 8u * step);
    qmcu_block_step(0, s, x, step, weights.first, weights.second);
}

/* Lets the compiler do nothing with sums until it is known what is to be done with them: else it spills what it has
 * begun. */
QMCU_INLINE void qmcu_pack_hide(const qmcu_pack_shape *shape, qmcu_pack_sums *s)
{
    if (shape->kind == QMCU_PACK_HALVES) {
        QMCU_OPAQUE(s->halves.a0);
        QMCU_OPAQUE(s->halves.a1);
        QMCU_OPAQUE(s->halves.a2);
        QMCU_OPAQUE(s->halves.a3);
        QMCU_OPAQUE(s->halves.b0);
        QMCU_OPAQUE(s->halves.b1);
        QMCU_OPAQUE(s->halves.b2);
        QMCU_OPAQUE(s->halves.b3);
    } else {
        QMCU_OPAQUE(s->words.a01.low);
        QMCU_OPAQUE(s->words.a01.high);
        QMCU_OPAQUE(s->words.a23.low);
        QMCU_OPAQUE(s->words.a23.high);
        QMCU_OPAQUE(s->words.b01.low);
        QMCU_OPAQUE(s->words.b01.high);
        QMCU_OPAQUE(s->words.b23.low);
        QMCU_OPAQUE(s->words.b23.high);
    }
}

/* Bytes of the weights of this many codes, of four channels. */
#define QMCU_PACK_WEIGHT_BYTES(kind, codes) (((kind) == QMCU_PACK_HALVES ? 4u : 8u) * (codes))

/* Where fields begin: with half of their range, so that they never are negative. */
QMCU_INLINE void qmcu_pack_begin(const qmcu_pack_shape *shape, qmcu_pack_sums *s)
{
    if (shape->kind == QMCU_PACK_HALVES) {
        s->halves = qmcu_sums_of((int32_t)1 << (QMCU_PACK_HALF_BITS - 1u), (int32_t)1 << (QMCU_PACK_HALF_BITS - 1u));
        return;
    }
    const uint32_t half = 1u << (QMCU_PACK_PIXEL - 1u);
    const uint32_t beyond = QMCU_PACK_PIXEL + QMCU_PACK_CHANNEL - 32u;
    qmcu_long begin = {half | half << QMCU_PACK_PIXEL, half >> (32u - QMCU_PACK_CHANNEL) | half << beyond};
    QMCU_OPAQUE(begin.low);
    QMCU_OPAQUE(begin.high);
    s->words.a01 = begin;
    s->words.a23 = begin;
    s->words.b01 = begin;
    s->words.b23 = begin;
}

/* Adds `codes` codes, a constant, of the columns and the weights of four channels to the sums; again and again up to
 * `*end` of the weights, or `once`. */
QMCU_INLINE void qmcu_pack_unrolled(const qmcu_pack_shape *shape, uint32_t codes, int once, const int16_t **columns,
                                    const uint8_t **weights, const uint8_t *const *end, qmcu_pack_sums *s)
{
    const int16_t *x = *columns;
    const uint8_t *w = *weights;
    do {
        if (shape->kind == QMCU_PACK_HALVES) {
#if defined(__OPTIMIZE__) && defined(__arm__) && !QMCU_EMULATE_DSP
#pragma GCC unroll 16
#endif
            for (uint32_t i = 0u; i < codes / 2u; i++) {
                qmcu_pack_halves_step(&s->halves, x, w, i);
            }
            qmcu_pack_hide(shape, s); /* GCC 12 otherwise moves sums about at the end of each iteration; those of words
                                         it moves because of this */
        } else {
#if defined(__OPTIMIZE__) && defined(__arm__) && !QMCU_EMULATE_DSP
#pragma GCC unroll 32
#endif
            for (uint32_t i = 0u; i < codes; i++) {
                qmcu_pack_words_step(&s->words, x, w, i);
            }
        }
        x += 4u * codes;
        w += QMCU_PACK_WEIGHT_BYTES(shape->kind, codes);
        if (!once) {
            QMCU_OPAQUE(x); /* or the end of the columns is computed, too */
        }
    } while (!once && w != *end);
    *columns = x;
    *weights = w;
}

/* Adds a column of a multiple of eight codes, up to `*end` of the weights: of halves sixteen at a time, after eight
 * where `odd`; of words eight, for more have the compiler move sums about. */
QMCU_INLINE void qmcu_pack_eights(const qmcu_pack_shape *shape, uint32_t odd, const int16_t *x, const uint8_t *w,
                                  const uint8_t *const *end, qmcu_pack_sums *s)
{
    if (shape->kind == QMCU_PACK_WORDS) {
        qmcu_pack_unrolled(shape, 8u, 0, &x, &w, end, s);
        return;
    }
    if (odd) {
        qmcu_pack_unrolled(shape, 8u, 1, &x, &w, end, s);
        QMCU_OPAQUE(x);
        QMCU_OPAQUE(w);
    }
    if (w != *end) {
        qmcu_pack_unrolled(shape, 16u, 0, &x, &w, end, s);
    }
}

#endif /* QMCU_DSP */

#endif /* QMCU_CONV2D_DSP_PACKED_H */
