/*
 * QuantMCU runtime: four pixels times all output channels of a packed convolution (qmcu_pack.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_PACK_BLOCK_H
#define QMCU_PACK_BLOCK_H

#include "qmcu_pack_take.h"

#if QMCU_DSP

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

/* To the next four channels. */
QMCU_INLINE void qmcu_pack_advance(const qmcu_pack_shape *shape, int parts, qmcu_pack_place *place)
{
    place->to += shape->format < QMCU_U8 ? 2 : 4;
    place->weights += (shape->kind == QMCU_PACK_HALVES ? 4u : 8u) * shape->padded;
    place->sums += parts ? 16 : 0;
    place->bias += 4;
    place->multiplier += 4;
    if (shape->bounded != 0u) {
        place->max += place->max_step;
    }
}

/* All channels, their sums taken out once: the loop over few codes is unrolled. */
QMCU_INLINE void qmcu_pack_whole(const qmcu_pack_shape *shape, const int16_t *columns, qmcu_pack_place *place, const int32_t *end)
{
    const int one = shape->padded == shape->unit || shape->padded <= QMCU_PACK_UNROLLED;
    qmcu_pack_shape unrolled = *shape;
    unrolled.unit = one ? shape->padded : shape->unit;
    do {
        qmcu_pack_sums s;
        if (!one) {
            place->end = place->weights + (shape->kind == QMCU_PACK_HALVES ? 4u : 8u) * shape->padded;
        }
        QMCU_BLOCK_TO_MEMORY(*place);
        qmcu_pack_segment(&unrolled, one, 0, columns, place->weights, &place->end, &s);
        qmcu_pack_finish(shape, 1u, 0, &s, place);
        qmcu_pack_advance(shape, 0, place);
    } while (place->bias != end);
}

/* All channels, their sums taken out after every segment. */
QMCU_INLINE void qmcu_pack_segments(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block, qmcu_pack_place *place, const int32_t *end)
{
    do {
        qmcu_pack_sums s;
        place->segments = block->segments;
        place->rest = parts ? block->length : shape->padded;
        place->earlier = parts && !block->begins;
        qmcu_pack_sum(shape, parts, block, !parts || block->ends, place, &s);
        if (parts && !block->ends) {
            /* The sums are kept. */
        } else if (!parts || place->earlier) {
            qmcu_pack_finish(shape, block->taken, 1, &s, place);
        } else {
            qmcu_pack_finish(shape, 1u, 0, &s, place);
        }
        qmcu_pack_advance(shape, parts, place);
    } while (place->bias != end);
}

/* The block itself. Inlined with a constant shape; `parts`: the columns may come in parts. */
QMCU_INLINE void qmcu_pack_all(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block)
{
    const int always_one = shape->padded == shape->unit || (shape->kind == QMCU_PACK_HALVES && shape->chunk >= shape->padded);
    const qmcu_requant *requant = block->requant;
    const int32_t *end = requant->bias + (block->first + block->channels);
    const int16_t same[4] = { requant->max, requant->max, requant->max, requant->max };
    int32_t own[16];
    qmcu_pack_place place = { block->weights, NULL, NULL, 0u, requant->bias + block->first, requant->multiplier + block->first, same, 0, block->to, parts ? block->sums : own, 0 };
    if (shape->bounded != 0u && requant->max_table != NULL) {
        place.max = requant->max_table + block->first;
        place.max_step = 4;
    }
    if (!parts && (always_one || block->taken == 1u)) {
        qmcu_pack_whole(shape, block->columns, &place, end);
    } else {
        qmcu_pack_segments(shape, parts, block, &place, end);
    }
}

#endif /* QMCU_DSP */

#endif /* QMCU_PACK_BLOCK_H */
