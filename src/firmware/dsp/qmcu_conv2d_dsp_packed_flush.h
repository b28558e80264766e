/*
 * QuantMCU runtime: sums of packed convolutions (qmcu_conv2d_dsp_packed.h) out of their fields, and codes from them.
 * Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_PACKED_FLUSH_H
#define QMCU_CONV2D_DSP_PACKED_FLUSH_H

#include "qmcu_conv2d_dsp_packed.h"

#if QMCU_DSP

/* Two sums of one pixel: of a channel and of the next one. */
typedef struct {
    int32_t a;
    int32_t b;
} qmcu_pack_pair;

/* Of the halves of a pixel. */
QMCU_INLINE qmcu_pack_pair qmcu_pack_of_halves(int32_t from)
{
    qmcu_pack_pair r;
    r.a = (int32_t)qmcu_field((uint32_t)from, 0u, QMCU_PACK_HALF_BITS);
    r.b = from >> QMCU_PACK_HALF_BITS;
    return r;
}

/* Of the first or second pixel of a word. */
QMCU_INLINE qmcu_pack_pair qmcu_pack_of_words(uint32_t second, qmcu_long from)
{
    const uint32_t beyond = QMCU_PACK_PIXEL + QMCU_PACK_CHANNEL - 32u;
    qmcu_pack_pair r;
    if (second) {
        r.a = (int32_t)qmcu_field(from.low, QMCU_PACK_PIXEL, QMCU_PACK_PIXEL);
        r.b = (int32_t)from.high >> beyond;
    } else {
        r.a = (int32_t)qmcu_field(from.low, 0u, QMCU_PACK_PIXEL);
        r.b = (int32_t)qmcu_insert10(from.low >> QMCU_PACK_CHANNEL, from.high);
    }
    return r;
}

/* Of pixel `pixel` and the first or second two channels of four. */
QMCU_INLINE qmcu_pack_pair qmcu_pack_take(const qmcu_pack_shape *shape, uint32_t pixel, uint32_t second,
                                          const qmcu_pack_sums *s)
{
    if (shape->kind == QMCU_PACK_HALVES) {
        const qmcu_sums *h = &s->halves;
        const int32_t a = pixel == 0u ? h->a0 : pixel == 1u ? h->a1 : pixel == 2u ? h->a2 : h->a3;
        const int32_t b = pixel == 0u ? h->b0 : pixel == 1u ? h->b1 : pixel == 2u ? h->b2 : h->b3;
        return qmcu_pack_of_halves(second ? b : a);
    }
    const qmcu_long *a = pixel < 2u ? &s->words.a01 : &s->words.a23;
    const qmcu_long *b = pixel < 2u ? &s->words.b01 : &s->words.b23;
    return qmcu_pack_of_words(pixel % 2u, second ? *b : *a);
}

/* Adds all sums to those that are kept: of both channels of four pixels, then of the other two channels. */
QMCU_INLINE void qmcu_pack_keep(const qmcu_pack_shape *shape, qmcu_pack_sums *s, int32_t *sums)
{
    qmcu_pack_hide(shape, s);
#if defined(__OPTIMIZE__) && defined(__arm__) && !QMCU_EMULATE_DSP
#pragma GCC unroll 8
#endif
    for (uint32_t i = 0u; i < 8u; i++) {
        qmcu_pack_pair pair = qmcu_pack_take(shape, i % 4u, i / 4u, s);
        const qmcu_words kept = qmcu_load_two(sums, 8u * i);
        pair.a += (int32_t)kept.first;
        pair.b += (int32_t)kept.second;
        qmcu_store_two(sums, 8u * i, (uint32_t)pair.a, (uint32_t)pair.b);
    }
}

/* Where a block is between two fours of channels and their segments. In memory while the products are summed, which
 * takes all registers. */
typedef struct {
    const int16_t *columns;
    const uint8_t *weights;
    const uint8_t *end;      /* of the segment's iterations */
    const uint8_t *rest_end; /* of the segment */
    const int32_t *scale;    /* two biases, two multipliers, again and again */
    const int32_t *scale_end;
    const int16_t *max;
    int32_t max_step; /* from four channels' bounds to the next: 0 where all have the same */
    uint8_t *to;
    int32_t *sums;
    int earlier; /* whether sums of segments before this one are kept */
    /* Of the layer, in loops that layers share: */
    uint32_t weight_bytes; /* of four channels */
    uint32_t factor;       /* 1 << pre_shift */
    uint32_t odd;          /* whether a column is an odd number of eights */
    int32_t pixel_bytes;
} qmcu_pack_place;

/* What makes codes of the sums of two channels, the first or second of four. */
typedef struct {
    uint32_t a; /* biases */
    uint32_t b;
    qmcu_block_scale scale;
    uint32_t factor; /* 1 << pre_shift */
    int32_t next;    /* from a pixel to the next */
} qmcu_pack_scale;

/* For sums that are too large by half of a field's range `more` times. */
QMCU_INLINE qmcu_pack_scale qmcu_pack_scale_of(const qmcu_pack_shape *shape, const qmcu_pack_place *place,
                                               uint32_t more, uint32_t second)
{
    const int32_t *scale = place->scale + 4u * second;
    const uint32_t half = more << (shape->kind == QMCU_PACK_HALVES ? QMCU_PACK_HALF_BITS - 1u : QMCU_PACK_PIXEL - 1u)
                               << shape->pre_shift;
    qmcu_pack_scale k = {(uint32_t)scale[0] - half,
                         (uint32_t)scale[1] - (shape->kind == QMCU_PACK_HALVES ? 0u : half),
                         {scale[2], scale[3], 0xffffu},
                         shape->length != 0u ? 1u << shape->pre_shift : place->factor,
                         shape->length != 0u ? shape->pixel_bytes : place->pixel_bytes};
    QMCU_OPAQUE(k.a);
    QMCU_OPAQUE(k.b);
    if (shape->bounded != 0u) {
        k.scale.bound = (uint32_t)place->max[2u * second] | (uint32_t)place->max[2u * second + 1u] << 8;
    }
    return k;
}

/* Both codes of a pixel. */
QMCU_INLINE void qmcu_pack_put(const qmcu_pack_shape *shape, const qmcu_pack_scale *k, uint32_t second,
                               qmcu_pack_pair pair, uint8_t *to)
{
    const qmcu_block_shape like = {0u,           0u, shape->format, shape->bounded, 0u, shape->pre_shift,
                                   shape->shift, 0,  k->next};
    const uint32_t offset = shape->format < QMCU_U4 ? 0u : shape->format < QMCU_U8 ? second : 2u * second;
    /* Modulo 2^32: only the whole sum stays in range. */
    const uint32_t a = (uint32_t)pair.a * k->factor + k->a;
    const uint32_t b = (uint32_t)pair.b * k->factor + k->b;
    qmcu_block_write(&like, &k->scale, 4u * second, (int32_t)a, (int32_t)b, to + offset);
}

/* Codes of two channels, the first or second of four. */
QMCU_INLINE void qmcu_pack_write(const qmcu_pack_shape *shape, const qmcu_pack_place *place, uint32_t second,
                                 const qmcu_pack_sums *s)
{
    const qmcu_pack_scale k = qmcu_pack_scale_of(shape, place, 0u, second);
    uint8_t *to = place->to;
#if defined(__OPTIMIZE__) && defined(__arm__) && !QMCU_EMULATE_DSP
#pragma GCC unroll 4
#endif
    for (uint32_t p = 0u; p < 4u; p++) {
        qmcu_pack_put(shape, &k, second, qmcu_pack_take(shape, p, second, s), to);
        to += k.next;
        if (shape->length == 0u) {
            QMCU_OPAQUE(to);
        }
    }
}

/* The same of sums that are kept and were flushed `more` times before the last time. */
QMCU_INLINE void qmcu_pack_write_kept(const qmcu_pack_shape *shape, const qmcu_pack_place *place, uint32_t more,
                                      uint32_t second)
{
    const qmcu_pack_scale k = qmcu_pack_scale_of(shape, place, more, second);
    const int32_t *sums = place->sums + 8u * second;
    uint8_t *to = place->to;
#if defined(__OPTIMIZE__) && defined(__arm__) && !QMCU_EMULATE_DSP
#pragma GCC unroll 4
#endif
    for (uint32_t p = 0u; p < 4u; p++) {
        const qmcu_pack_pair pair = {sums[2u * p], sums[2u * p + 1u]};
        qmcu_pack_put(shape, &k, second, pair, to);
        to += k.next;
    }
}

/* All codes of four channels. The sums of the last two wait in memory for those of the first two: else the compiler,
 * which is short of registers, moves all it has back and forth. */
QMCU_INLINE void qmcu_pack_finish(const qmcu_pack_shape *shape, qmcu_pack_sums *s, const qmcu_pack_place *place)
{
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
    qmcu_pack_write(shape, place, 0u, s);
    QMCU_BLOCK_TO_MEMORY(waiting);
    if (shape->kind == QMCU_PACK_HALVES) {
        s->halves.b0 = (int32_t)waiting[0];
        s->halves.b1 = (int32_t)waiting[1];
        s->halves.b2 = (int32_t)waiting[2];
        s->halves.b3 = (int32_t)waiting[3];
    } else {
        s->words.b01 = (qmcu_long){waiting[0], waiting[1]};
        s->words.b23 = (qmcu_long){waiting[2], waiting[3]};
    }
    qmcu_pack_write(shape, place, 1u, s);
}

#endif /* QMCU_DSP */

#endif /* QMCU_CONV2D_DSP_PACKED_FLUSH_H */
