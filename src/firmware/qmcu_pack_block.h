/*
 * QuantMCU runtime: four pixels times all output channels of a packed convolution (qmcu_pack.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_PACK_BLOCK_H
#define QMCU_PACK_BLOCK_H

#include "qmcu_pack_take.h"

#if QMCU_DSP

/* The next segment's codes: in turns of as many units as are unrolled, then unit by unit. */
QMCU_INLINE void qmcu_pack_segment(const qmcu_pack_shape *shape, uint32_t units, const int16_t **x, const uint8_t **w, qmcu_pack_place *place, qmcu_pack_sums *s)
{
    const uint32_t together = QMCU_PACK_TURN / shape->unit;
    const uint32_t turns = units / together;
    const uint32_t rest = units % together;
    qmcu_pack_begin(shape, s);
    place->end = *w + QMCU_PACK_WEIGHT_BYTES(shape->kind, turns * together * shape->unit);
    place->rest_end = *w + QMCU_PACK_WEIGHT_BYTES(shape->kind, units * shape->unit);
    QMCU_BLOCK_TO_MEMORY(*place);
    if (turns != 0u) {
        qmcu_pack_turns(shape, together * shape->unit, 0, x, w, &place->end, s);
    }
    if (rest != 0u) {
        qmcu_pack_turns(shape, shape->unit, 0, x, w, &place->rest_end, s);
    }
}

/* Sums all segments of four channels, the last into s, the others into place->sums; all of them there where further parts follow. */
QMCU_INLINE void qmcu_pack_sum(const qmcu_pack_shape *shape, const qmcu_pack_block *block, int last_part, qmcu_pack_place *place, qmcu_pack_sums *s)
{
    const int16_t *x = place->columns;
    const uint8_t *w = place->weights;
    place->segments = block->segments;
    for (;;) {
        qmcu_pack_segment(shape, *place->segments++, &x, &w, place, s);
        const int ends = *place->segments == 0u;
        if (ends && last_part) {
            return;
        }
        if (place->earlier) {
            qmcu_pack_keep(shape, 1, s, place->sums);
        } else {
            qmcu_pack_keep(shape, 0, s, place->sums);
        }
        if (ends) {
            return;
        }
        place->earlier = 1;
    }
}

/* To the next four channels. */
QMCU_INLINE void qmcu_pack_advance(const qmcu_pack_shape *shape, int parts, qmcu_pack_place *place)
{
    place->to += shape->format < QMCU_U4 ? 1 : shape->format < QMCU_U8 ? 2 : 4;
    place->sums += parts ? 16 : 0;
    place->scale += 8;
    if (shape->bounded != 0u) {
        place->max += place->max_step;
    }
}

/* All channels, their sums taken out once. */
QMCU_INLINE void qmcu_pack_whole(const qmcu_pack_shape *shape, qmcu_pack_place *place)
{
    do {
        qmcu_pack_sums s;
        const int16_t *x = place->columns;
        const uint8_t *w = place->weights;
        place->weights = w + QMCU_PACK_WEIGHT_BYTES(shape->kind, shape->padded);
        QMCU_BLOCK_TO_MEMORY(*place);
        qmcu_pack_begin(shape, &s);
        qmcu_pack_turns(shape, shape->turn, shape->turn == shape->padded, &x, &w, &place->weights, &s);
        qmcu_pack_finish(shape, 0u, 0, &s, place);
        qmcu_pack_advance(shape, 0, place);
    } while (place->scale != place->scale_end);
}

/* All channels, their sums taken out after every segment. */
QMCU_INLINE void qmcu_pack_segments(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block, qmcu_pack_place *place)
{
    do {
        qmcu_pack_sums s;
        place->earlier = parts && !block->begins;
        qmcu_pack_sum(shape, block, !parts || block->ends, place, &s);
        if (parts && !block->ends) {
            /* The sums are kept. */
        } else if (!parts || place->earlier) {
            qmcu_pack_finish(shape, block->taken - 1u, 1, &s, place);
        } else {
            qmcu_pack_finish(shape, 0u, 0, &s, place);
        }
        place->weights += QMCU_PACK_WEIGHT_BYTES(shape->kind, shape->padded);
        qmcu_pack_advance(shape, parts, place);
    } while (place->scale != place->scale_end);
}

/* Where a block begins; `own`: room for sixteen sums, `same`: for four bounds. */
QMCU_INLINE qmcu_pack_place qmcu_pack_place_of(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block, int32_t *own, int16_t *same)
{
    const qmcu_requant *requant = block->requant;
    const int32_t *scale = requant->bias + 2 * block->first;
    qmcu_pack_place place = { block->columns, block->weights, NULL, NULL, NULL, scale, scale + 2 * block->channels, same, 0, block->to, parts ? block->sums : own, 0 };
    for (uint32_t i = 0u; i < 4u; i++) {
        same[i] = requant->max;
    }
    if (shape->bounded != 0u && requant->max_table != NULL) {
        place.max = requant->max_table + block->first;
        place.max_step = 4;
    }
    return place;
}

/*
 * The block itself, inlined with a constant shape: the first where the sums are taken out once and the columns are whole, the second for all blocks; `parts`: the
 * columns may come in parts. Two functions, since the compiler then finds registers for each.
 */
QMCU_INLINE void qmcu_pack_once(const qmcu_pack_shape *shape, const qmcu_pack_block *block)
{
    int16_t same[4];
    qmcu_pack_place place = qmcu_pack_place_of(shape, 0, block, NULL, same);
    qmcu_pack_whole(shape, &place);
}

QMCU_INLINE void qmcu_pack_all(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block)
{
    int16_t same[4];
    int32_t own[16];
    qmcu_pack_place place = qmcu_pack_place_of(shape, parts, block, own, same);
    qmcu_pack_segments(shape, parts, block, &place);
}

#endif /* QMCU_DSP */

#endif /* QMCU_PACK_BLOCK_H */
