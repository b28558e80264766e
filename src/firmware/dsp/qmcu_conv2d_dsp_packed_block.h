/*
 * QuantMCU runtime: four pixels times all output channels of a packed convolution (qmcu_conv2d_dsp_packed.h). Not part
 * of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_PACKED_BLOCK_H
#define QMCU_CONV2D_DSP_PACKED_BLOCK_H

#include "qmcu_conv2d_dsp_packed_flush.h"

#if QMCU_DSP

/*
 * Sums all segments of the columns for four channels into place->sums, or adds them to those of earlier parts; in
 * qmcu_conv2d_dsp_packed_blocks.c. Layers share them: they take more code than what is made for one.
 */
void qmcu_pack_sum_halves(const qmcu_pack_shape *shape, const uint8_t *segments, qmcu_pack_place *place);
void qmcu_pack_sum_words(const qmcu_pack_shape *shape, const uint8_t *segments, qmcu_pack_place *place);

/* All channels of a block by segments, in a function that all layers share. */
void qmcu_pack_by_segments(const qmcu_pack_block *block);

/* To the next four channels. */
QMCU_INLINE void qmcu_pack_advance(const qmcu_pack_shape *shape, int parts, qmcu_pack_place *place)
{
    place->to += shape->format < QMCU_U4 ? 1 : shape->format < QMCU_U8 ? 2 : 4;
    if (parts != 0) {
        place->sums += 16;
    }
    place->scale += 8;
    if (shape->bounded != 0u) {
        place->max += place->max_step;
    }
}

/* All channels, their sums flushed once. */
QMCU_INLINE void qmcu_pack_whole(const qmcu_pack_shape *shape, qmcu_pack_place *place)
{
    do {
        qmcu_pack_sums s;
        const int16_t *x = place->columns;
        const uint8_t *w = place->weights;
        place->weights =
            w + (shape->length != 0u ? QMCU_PACK_WEIGHT_BYTES(shape->kind, shape->padded) : place->weight_bytes);
        QMCU_BLOCK_TO_MEMORY(*place);
        qmcu_pack_begin(shape, &s);
        if (shape->length == 0u && shape->unroll == 8u) {
            qmcu_pack_eights(shape, place->odd, x, w, &place->weights, &s);
        } else {
            qmcu_pack_unrolled(shape, shape->unroll, shape->unroll == shape->padded, &x, &w, &place->weights, &s);
        }
        qmcu_pack_finish(shape, &s, place);
        qmcu_pack_advance(shape, 0, place);
    } while (place->scale != place->scale_end);
}

/* All channels, their sums flushed after every segment. */
QMCU_INLINE void qmcu_pack_segments(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block,
                                    qmcu_pack_place *place)
{
    do {
        place->earlier = parts && !block->begins;
        if (shape->kind == QMCU_PACK_HALVES) {
            qmcu_pack_sum_halves(shape, block->segments, place);
        } else {
            qmcu_pack_sum_words(shape, block->segments, place);
        }
        if (!parts || block->ends) {
            qmcu_pack_write_kept(shape, place, block->flushes - 1u, 0u);
            qmcu_pack_write_kept(shape, place, block->flushes - 1u, 1u);
        }
        place->weights += QMCU_PACK_WEIGHT_BYTES(shape->kind, shape->padded);
        qmcu_pack_advance(shape, parts, place);
    } while (place->scale != place->scale_end);
}

/* Where a block begins; `own`: room for sixteen sums, `same`: for four bounds. */
QMCU_INLINE qmcu_pack_place qmcu_pack_place_of(const qmcu_pack_shape *shape, int parts, const qmcu_pack_block *block,
                                               int32_t *own, int16_t *same)
{
    const qmcu_requant *requant = block->requant;
    const int32_t *scale = requant->bias + 2 * block->first;
    qmcu_pack_place place = {block->columns,
                             block->weights,
                             NULL,
                             NULL,
                             scale,
                             scale + 2 * block->channels,
                             same,
                             0,
                             block->to,
                             parts && block->sums != NULL ? block->sums : own,
                             0,
                             QMCU_PACK_WEIGHT_BYTES(block->shape->kind, block->shape->padded),
                             1u << block->shape->pre_shift,
                             block->shape->padded / 8u % 2u,
                             block->shape->pixel_bytes};
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
 * The block itself, inlined with a constant shape: the first where the sums are flushed once and the columns are
 * whole, the second for all blocks; `parts`: the columns may come in parts. In two functions the compiler finds
 * registers for each.
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

/* Any block of a layer, whose constants are those that layers with loops like these have in common. */
QMCU_INLINE void qmcu_pack_shared(const qmcu_pack_shape *like, const qmcu_pack_block *block)
{
    int16_t same[4];
    if (block->flushes != 1u || !block->ends) {
        qmcu_pack_by_segments(block);
        return;
    }
    qmcu_pack_place place = qmcu_pack_place_of(like, 0, block, NULL, same);
    qmcu_pack_whole(like, &place);
}

#endif /* QMCU_DSP */

#endif /* QMCU_CONV2D_DSP_PACKED_BLOCK_H */
