/*
 * QuantMCU runtime: convolutions of few bits whose products several sums share a register for, with the DSP extension. Not part of the
 * interface.
 *
 * Blocks are four pixels times four output channels. Two numbers p and q that stand in one operand as p + (q << n) are both multiplied by
 * one instruction, and the sums of their products stand in one register in the same way, as long as the lower one stays within n bits:
 *
 *   QMCU_PACK_HALVES   Weights of two channels in 16 bits, n = 12, and codes as they are: SMLAD multiplies two weights of both channels.
 *   QMCU_PACK_WORDS    Codes of two pixels, n = 14, times 4-bit weights of two channels, n = 28: SMLAL adds four products to 64 bits.
 *
 * Sums are taken out of their fields before they could outgrow them. QMCU_PACK_HALVES does so after a number of codes that the generator
 * found from the weights. QMCU_PACK_WORDS is for 8-bit codes, of which few are sure to fit; there the columns are measured as they are
 * gathered: by Cauchy-Schwarz |sum of w * x| <= sqrt(sum of w^2) * sqrt(sum of x^2). So their time depends on the codes a little, their result does not.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_PACK_H
#define QMCU_PACK_H

#include "qmcu_block.h"

#define QMCU_PACK_HALVES 0u
#define QMCU_PACK_WORDS 1u

/* Bits of the lower field of QMCU_PACK_HALVES; of QMCU_PACK_WORDS, the places of the second pixel and of the second channel: sums stand at bits 0, 14, 28 and 42. */
#define QMCU_PACK_HALF_BITS 12u
#define QMCU_PACK_PIXEL 14u
#define QMCU_PACK_CHANNEL 28u

/* What a layer's kernel is made for. */
typedef struct {
    uint32_t kind;
    uint32_t length;        /* codes of a column */
    uint32_t padded;        /* the same with zeros after them: a multiple of unit, as the weights are stored */
    uint32_t unit;          /* codes that always fit, even, at most 16 */
    uint32_t chunk;         /* QMCU_PACK_HALVES: codes after which sums are taken out, a multiple of unit */
    uint32_t format;        /* of the output and what follows: as in qmcu_block_shape (qmcu_block.h) */
    uint32_t bounded;
    uint32_t pre_shift;
    uint32_t shift;
    int32_t bias_shift;
    int32_t pixel_bytes;
    const uint32_t *limits; /* QMCU_PACK_WORDS: largest sum of squares of 1, 2 ... units of codes whose sums of products fit */
} qmcu_pack_shape;

#if QMCU_DSP

/* One call. */
typedef struct {
    const int16_t *columns;
    const uint8_t *weights;      /* of the first four channels */
    const qmcu_requant *requant;
    int32_t first;               /* output channel, a multiple of 4 */
    int32_t channels;            /* so many, a multiple of 4 */
    uint8_t *to;                 /* their codes in the first pixel; the others follow each other */
    uint32_t length;             /* of the columns, or of this part of them */
    const uint8_t *segments;     /* QMCU_PACK_WORDS: units after which sums are taken out, again and again; 0 at the end */
    uint32_t taken;              /* how often they are taken out, parts before this one included */
    /* Where columns come in parts: */
    int32_t *sums;               /* sixteen for each four channels, between the parts */
    int begins;
    int ends;
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

/* Lets the compiler do nothing with sums until it is known what is to be done with them: else it spills what it has begun. */
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

/* One segment of the columns, from x and w to `*end` of the weights; `one`: of one unit; `parts` as in qmcu_pack_all. Fields begin with half of their range, so that they never are negative. */
QMCU_INLINE void qmcu_pack_segment(const qmcu_pack_shape *shape, int one, int parts, const int16_t *x, const uint8_t *w, const uint8_t *const *end, qmcu_pack_sums *s)
{
    if (shape->kind == QMCU_PACK_HALVES) {
        s->halves = qmcu_sums_of((int32_t)1 << (QMCU_PACK_HALF_BITS - 1u), (int32_t)1 << (QMCU_PACK_HALF_BITS - 1u));
        do {
#if defined(__OPTIMIZE__) && defined(__arm__)
#pragma GCC unroll 8
#endif
            for (uint32_t i = 0u; i < shape->unit / 2u; i++) {
                qmcu_pack_halves_step(&s->halves, x, w, i);
            }
            x += 4u * shape->unit;
            w += 4u * shape->unit;
        } while (!one && w != *end);
    } else {
        const uint32_t half = 1u << (QMCU_PACK_PIXEL - 1u);
        const uint32_t beyond = QMCU_PACK_PIXEL + QMCU_PACK_CHANNEL - 32u;
        qmcu_long begin = { half | half << QMCU_PACK_PIXEL, half >> (32u - QMCU_PACK_CHANNEL) | half << beyond };
        QMCU_OPAQUE(begin.low);
        QMCU_OPAQUE(begin.high);
        s->words.a01 = begin;
        s->words.a23 = begin;
        s->words.b01 = begin;
        s->words.b23 = begin;
        do {
#if defined(__OPTIMIZE__) && defined(__arm__)
#pragma GCC unroll 16
#endif
            for (uint32_t i = 0u; i < shape->unit; i++) {
                qmcu_pack_words_step(&s->words, x, w, i);
            }
            if (parts) {
                qmcu_pack_hide(shape, s); /* GCC 12 otherwise moves sums about at the end of each turn */
            }
            x += 4u * shape->unit;
            w += 8u * shape->unit;
        } while (!one && w != *end);
    }
}

/* A sum of this segment and, where there are `earlier` ones, of those before. */
QMCU_INLINE int32_t qmcu_pack_total(int earlier, const int32_t *sum, int32_t value)
{
    return earlier ? *sum + value : value;
}

/* Two sums of one pixel: of a channel and of the next one. */
typedef struct {
    int32_t a;
    int32_t b;
} qmcu_pack_pair;

/* Of the halves of a pixel. */
QMCU_INLINE qmcu_pack_pair qmcu_pack_of_halves(int earlier, int32_t from, const int32_t *sums)
{
    qmcu_pack_pair r;
    r.a = qmcu_pack_total(earlier, sums, (int32_t)((uint32_t)from & ((1u << QMCU_PACK_HALF_BITS) - 1u)));
    r.b = qmcu_pack_total(earlier, sums + 1, from >> QMCU_PACK_HALF_BITS);
    return r;
}

/* Of the first or second pixel of a word. */
QMCU_INLINE qmcu_pack_pair qmcu_pack_of_words(int earlier, uint32_t second, qmcu_long from, const int32_t *sums)
{
    const uint32_t beyond = QMCU_PACK_PIXEL + QMCU_PACK_CHANNEL - 32u;
    const uint32_t mask = (1u << QMCU_PACK_PIXEL) - 1u;
    qmcu_pack_pair r;
    if (second) {
        r.a = qmcu_pack_total(earlier, sums, (int32_t)(from.low >> QMCU_PACK_PIXEL & mask));
        r.b = qmcu_pack_total(earlier, sums + 1, (int32_t)from.high >> beyond);
    } else {
        r.a = qmcu_pack_total(earlier, sums, (int32_t)(from.low & mask));
        r.b = qmcu_pack_total(earlier, sums + 1, (int32_t)qmcu_insert10(from.low >> QMCU_PACK_CHANNEL, from.high));
    }
    return r;
}

/* Of pixel `pixel` and the first or second two channels of four. */
QMCU_INLINE qmcu_pack_pair qmcu_pack_take(const qmcu_pack_shape *shape, int earlier, uint32_t pixel, uint32_t second, const qmcu_pack_sums *s, const int32_t *sums)
{
    const int32_t *at = sums + (8u * second + 2u * pixel);
    if (shape->kind == QMCU_PACK_HALVES) {
        const qmcu_sums *h = &s->halves;
        const int32_t a = pixel == 0u ? h->a0 : pixel == 1u ? h->a1 : pixel == 2u ? h->a2 : h->a3;
        const int32_t b = pixel == 0u ? h->b0 : pixel == 1u ? h->b1 : pixel == 2u ? h->b2 : h->b3;
        return qmcu_pack_of_halves(earlier, second ? b : a, at);
    }
    const qmcu_long *a = pixel < 2u ? &s->words.a01 : &s->words.a23;
    const qmcu_long *b = pixel < 2u ? &s->words.b01 : &s->words.b23;
    return qmcu_pack_of_words(earlier, pixel % 2u, second ? *b : *a, at);
}

/* Keeps all sums, for further segments. */
QMCU_INLINE void qmcu_pack_keep(const qmcu_pack_shape *shape, int earlier, qmcu_pack_sums *s, int32_t *sums)
{
    qmcu_pack_hide(shape, s);
#if defined(__OPTIMIZE__) && defined(__arm__)
#pragma GCC unroll 8
#endif
    for (uint32_t i = 0u; i < 8u; i++) {
        const qmcu_pack_pair pair = qmcu_pack_take(shape, earlier, i % 4u, i / 4u, s, sums);
        sums[2u * i] = pair.a;
        sums[2u * i + 1u] = pair.b;
    }
}

/* Where a block is between two fours of channels and their segments. In memory while the products are summed, which takes all registers. */
typedef struct {
    const uint8_t *weights;
    const uint8_t *end;      /* of the segment */
    const uint8_t *segments;
    uint32_t rest;           /* codes after the segment */
    const int32_t *bias;
    const int32_t *multiplier;
    const int16_t *max;
    uint8_t *to;
    int32_t *sums;
    int earlier;             /* whether sums of segments before this one are kept */
} qmcu_pack_place;

/* Codes of two channels, the first or second of four, from all sums, of which those of the segments before this one are kept and which are too large by `excess`. */
QMCU_INLINE void qmcu_pack_write(const qmcu_pack_shape *shape, const qmcu_pack_place *place, const uint32_t excess[2], int earlier, uint32_t second, const qmcu_pack_sums *s)
{
    const qmcu_block_shape like = { 0u, 0u, shape->format, shape->bounded, 0u, shape->pre_shift, shape->shift, shape->bias_shift, shape->pixel_bytes };
    const uint32_t c = 2u * second;
    uint8_t *to = place->to + (shape->format < QMCU_U8 ? second : c);
    int32_t a = qmcu_shift_left(qmcu_shift_bias(place->bias[c], shape->bias_shift) - (int32_t)excess[0], shape->pre_shift);
    int32_t b = qmcu_shift_left(qmcu_shift_bias(place->bias[c + 1u], shape->bias_shift) - (int32_t)excess[1], shape->pre_shift);
    QMCU_OPAQUE(a);
    QMCU_OPAQUE(b);
    qmcu_block_scale k = { place->multiplier[c], place->multiplier[c + 1u], 0xffffu };
    if (shape->bounded != 0u) {
        k.bound = (uint32_t)place->max[c] | (uint32_t)place->max[c + 1u] << 8;
    }
#if defined(__OPTIMIZE__) && defined(__arm__)
#pragma GCC unroll 4
#endif
    for (uint32_t p = 0u; p < 4u; p++) {
        const qmcu_pack_pair pair = qmcu_pack_take(shape, earlier, p, second, s, place->sums);
        qmcu_block_write(&like, &k, qmcu_shift_left(pair.a, shape->pre_shift) + a, qmcu_shift_left(pair.b, shape->pre_shift) + b, to + (int32_t)p * shape->pixel_bytes);
    }
}

/* Codes of the next segment. */
QMCU_INLINE uint32_t qmcu_pack_next(const qmcu_pack_shape *shape, qmcu_pack_place *place)
{
    uint32_t codes;
    if (shape->kind == QMCU_PACK_HALVES) {
        codes = place->rest < shape->chunk ? place->rest : shape->chunk;
    } else {
        codes = *place->segments++ * shape->unit;
    }
    place->rest -= codes;
    return codes;
}

/* All codes of four channels. */
QMCU_INLINE void qmcu_pack_finish(const qmcu_pack_shape *shape, uint32_t taken, int earlier, qmcu_pack_sums *s, const qmcu_pack_place *place)
{
    const uint32_t half = taken << (shape->kind == QMCU_PACK_HALVES ? QMCU_PACK_HALF_BITS - 1u : QMCU_PACK_PIXEL - 1u);
    const uint32_t excess[2] = { half, shape->kind == QMCU_PACK_HALVES ? 0u : half };
    qmcu_pack_hide(shape, s);
    qmcu_pack_write(shape, place, excess, earlier, 0u, s);
    qmcu_pack_write(shape, place, excess, earlier, 1u, s);
}

/* Sums all segments of four channels, the last into s, the others into place->sums; all of them there where further parts follow. */
QMCU_INLINE void qmcu_pack_sum(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block, int last_part, qmcu_pack_place *place, qmcu_pack_sums *s)
{
    const int16_t *x = block->columns;
    const uint8_t *w = place->weights;
    for (;;) {
        const uint32_t codes = qmcu_pack_next(shape, place);
        place->end = w + (shape->kind == QMCU_PACK_HALVES ? 4u : 8u) * codes;
        QMCU_BLOCK_TO_MEMORY(*place);
        qmcu_pack_segment(shape, 0, parts, x, w, &place->end, s);
        if (place->rest == 0u && last_part) {
            return;
        }
        if (place->earlier) {
            qmcu_pack_keep(shape, 1, s, place->sums);
        } else {
            qmcu_pack_keep(shape, 0, s, place->sums);
        }
        if (place->rest == 0u) {
            return;
        }
        place->earlier = 1;
        x += 4u * codes;
        w = place->end;
    }
}

/* The block itself. Inlined with a constant shape; `parts`: the columns may come in parts. */
QMCU_INLINE void qmcu_pack_all(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block)
{
    const uint32_t code_bytes = shape->kind == QMCU_PACK_HALVES ? 4u : 8u; /* of weights */
    const int one = !parts && shape->padded == shape->unit;
    const qmcu_requant *requant = block->requant;
    const int32_t *end = requant->bias + (block->first + block->channels);
    const int16_t same[4] = { requant->max, requant->max, requant->max, requant->max };
    int32_t own[16];
    qmcu_pack_place place = { block->weights, NULL, NULL, 0u, requant->bias + block->first, requant->multiplier + block->first, same, block->to, parts ? block->sums : own, 0 };
    if (shape->bounded != 0u && requant->max_table != NULL) {
        place.max = requant->max_table + block->first;
    }
    do {
        qmcu_pack_sums s;
        if (one) {
            QMCU_BLOCK_TO_MEMORY(place);
            qmcu_pack_segment(shape, 1, 0, block->columns, place.weights, &place.end, &s);
            qmcu_pack_finish(shape, 1u, 0, &s, &place);
        } else {
            place.segments = block->segments;
            place.rest = parts ? block->length : shape->padded;
            place.earlier = parts && !block->begins;
            qmcu_pack_sum(shape, parts, block, !parts || block->ends, &place, &s);
            if (parts && !block->ends) {
                /* The sums are kept. */
            } else if (place.earlier) {
                qmcu_pack_finish(shape, block->taken, 1, &s, &place);
            } else {
                qmcu_pack_finish(shape, 1u, 0, &s, &place);
            }
        }
        place.to += shape->format < QMCU_U8 ? 2 : 4;
        place.weights += code_bytes * shape->padded;
        place.sums += parts ? 16 : 0;
        place.bias += 4;
        place.multiplier += 4;
        if (shape->bounded != 0u && place.max != same) {
            place.max += 4;
        }
    } while (place.bias != end);
}

#endif /* QMCU_DSP */

#endif /* QMCU_PACK_H */
