/*
 * QuantMCU runtime: sums of packed convolutions (qmcu_pack.h) out of their fields, and codes from them. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_PACK_TAKE_H
#define QMCU_PACK_TAKE_H

#include "qmcu_pack.h"

#if QMCU_DSP

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
    r.a = qmcu_pack_total(earlier, sums, (int32_t)qmcu_field((uint32_t)from, 0u, QMCU_PACK_HALF_BITS));
    r.b = qmcu_pack_total(earlier, sums + 1, from >> QMCU_PACK_HALF_BITS);
    return r;
}

/* Of the first or second pixel of a word. */
QMCU_INLINE qmcu_pack_pair qmcu_pack_of_words(int earlier, uint32_t second, qmcu_long from, const int32_t *sums)
{
    const uint32_t beyond = QMCU_PACK_PIXEL + QMCU_PACK_CHANNEL - 32u;
    qmcu_pack_pair r;
    if (second) {
        r.a = qmcu_pack_total(earlier, sums, (int32_t)qmcu_field(from.low, QMCU_PACK_PIXEL, QMCU_PACK_PIXEL));
        r.b = qmcu_pack_total(earlier, sums + 1, (int32_t)from.high >> beyond);
    } else {
        r.a = qmcu_pack_total(earlier, sums, (int32_t)qmcu_field(from.low, 0u, QMCU_PACK_PIXEL));
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
    const int16_t *columns;
    const uint8_t *weights;
    const uint8_t *end;      /* of the segment's turns */
    const uint8_t *rest_end; /* of the segment */
    const uint8_t *segments;
    const int32_t *scale;    /* two biases, two multipliers, again and again */
    const int32_t *scale_end;
    const int16_t *max;
    int32_t max_step;        /* from four channels' bounds to the next: 0 where all have the same */
    uint8_t *to;
    int32_t *sums;
    int earlier;             /* whether sums of segments before this one are kept */
} qmcu_pack_place;

/* Codes of two channels, the first or second of four, from all sums, of which those of the segments before this one are kept and too large by `excess`. */
QMCU_INLINE void qmcu_pack_write(const qmcu_pack_shape *shape, const qmcu_pack_place *place, const uint32_t excess[2], int earlier, uint32_t second, const qmcu_pack_sums *s)
{
    const qmcu_block_shape like = { 0u, 0u, shape->format, shape->bounded, 0u, shape->pre_shift, shape->shift, 0, shape->pixel_bytes };
    const uint32_t c = 2u * second;
    const int32_t *scale = place->scale + 2u * c;
    uint8_t *to = place->to + (shape->format < QMCU_U4 ? 0u : shape->format < QMCU_U8 ? second : c);
    /* Modulo 2^32: only the whole sum stays in range. */
    uint32_t a = (uint32_t)scale[0];
    uint32_t b = (uint32_t)scale[1];
    if (earlier) {
        a -= excess[0];
        b -= excess[1];
    }
    QMCU_OPAQUE(a);
    QMCU_OPAQUE(b);
    qmcu_block_scale k = { scale[2], scale[3], 0xffffu };
    if (shape->bounded != 0u) {
        k.bound = (uint32_t)place->max[c] | (uint32_t)place->max[c + 1u] << 8;
    }
#if defined(__OPTIMIZE__) && defined(__arm__)
#pragma GCC unroll 4
#endif
    for (uint32_t p = 0u; p < 4u; p++) {
        const qmcu_pack_pair pair = qmcu_pack_take(shape, earlier, p, second, s, place->sums);
        const uint32_t sum_a = ((uint32_t)pair.a << shape->pre_shift) + a;
        const uint32_t sum_b = ((uint32_t)pair.b << shape->pre_shift) + b;
        qmcu_block_write(&like, &k, 4u * second, (int32_t)sum_a, (int32_t)sum_b, to + (int32_t)p * shape->pixel_bytes);
    }
}

/* All codes of four channels, whose sums were taken out `more` times before. The sums of the last two wait in memory for those of the first two: else the compiler, which is short of registers, moves all it has back and forth. */
QMCU_INLINE void qmcu_pack_finish(const qmcu_pack_shape *shape, uint32_t more, int earlier, qmcu_pack_sums *s, const qmcu_pack_place *place)
{
    const uint32_t half = more << (shape->kind == QMCU_PACK_HALVES ? QMCU_PACK_HALF_BITS - 1u : QMCU_PACK_PIXEL - 1u) << shape->pre_shift;
    const uint32_t excess[2] = { half, shape->kind == QMCU_PACK_HALVES ? 0u : half };
    uint32_t waiting[4];
    qmcu_pack_hide(shape, s);
    if (shape->kind == QMCU_PACK_HALVES) {
        waiting[0] = (uint32_t)s->halves.b0;
        waiting[1] = (uint32_t)s->halves.b1;
        waiting[2] = (uint32_t)s->halves.b2;
        waiting[3] = (uint32_t)s->halves.b3;
    } else {
        waiting[0] = s->words.b01.low;
        waiting[1] = s->words.b01.high;
        waiting[2] = s->words.b23.low;
        waiting[3] = s->words.b23.high;
    }
    QMCU_BLOCK_TO_MEMORY(waiting);
    qmcu_pack_write(shape, place, excess, earlier, 0u, s);
    QMCU_BLOCK_TO_MEMORY(waiting);
    if (shape->kind == QMCU_PACK_HALVES) {
        s->halves.b0 = (int32_t)waiting[0];
        s->halves.b1 = (int32_t)waiting[1];
        s->halves.b2 = (int32_t)waiting[2];
        s->halves.b3 = (int32_t)waiting[3];
    } else {
        s->words.b01 = (qmcu_long){ waiting[0], waiting[1] };
        s->words.b23 = (qmcu_long){ waiting[2], waiting[3] };
    }
    qmcu_pack_write(shape, place, excess, earlier, 1u, s);
}

#endif /* QMCU_DSP */

#endif /* QMCU_PACK_TAKE_H */
