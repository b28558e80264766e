/*
 * QuantMCU runtime: depthwise convolutions row by row and channel by channel (qmcu_depthwise2d_dsp_channels.h). Not
 * part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_DSP_H
#define QMCU_DEPTHWISE2D_DSP_H

#include "qmcu_depthwise2d_dsp_polynomial.h"

#if QMCU_DSP

/* Some rows of a channel: those of `row`, whose first input and output x and `to` are. */
QMCU_INLINE void qmcu_rows_some(const qmcu_row_shape *shape, const qmcu_row *row, const qmcu_row_weights *weights,
                                int second, const uint8_t *x, uint8_t *to)
{
    const int32_t group = shape->rows != 0u ? (int32_t)(QMCU_ROW_BYTES * shape->rows) : row->group;
    const uint32_t rest = (uint32_t)row->count % (shape->polynomial != 0u ? 8u : 4u);
    const int32_t next = QMCU_ROW_NEXT(shape, row);
    const int32_t most = (row->count - (int32_t)rest) * next;
    const int32_t to_next_row = row->to_next_row;
    /* Read once: for all that the compiler knows, writing codes could change them. */
    const uint32_t begin = (uint32_t)weights->bias;
    const int32_t round = qmcu_row_round(shape, weights);
    for (int32_t rows = row->rows; rows > 0; rows--) {
        if (shape->polynomial != 0u) {
            qmcu_poly_one(shape, weights, x, group, most, rest, begin, next, second, to);
        } else {
            qmcu_row_one(shape, weights, x, group, most, rest, round, next, second, to);
        }
        x += QMCU_ROW_BYTES * shape->stride;
        to += to_next_row;
    }
}

/*
 * All rows of channel `channel` of the two. Few channels of most layers with bounds have one that is not the largest
 * code: the others do with `unbounded`, the same shape without. (Not a copy: compilers would not know its members.)
 */
QMCU_INLINE void qmcu_rows_channel(const qmcu_row_shape *shape, const qmcu_row_shape *unbounded, const qmcu_row *row,
                                   uint32_t channel, int second)
{
    const qmcu_row_weights *weights = row->weights + channel;
    const uint8_t *x = row->x + QMCU_ROW_BYTES / 2 * channel;
    uint8_t *to = row->to + (second != 0 ? 0u : channel);
    if (shape->bounded != unbounded->bounded && weights->above == 0u) {
        qmcu_rows_some(unbounded, row, weights, second, x, to);
    } else {
        qmcu_rows_some(shape, row, weights, second, x, to);
    }
}

/* Both channels. Inlined with constants in as many members of the shapes as the function is made for, the kernel,
 * stride and way at least. */
QMCU_INLINE void qmcu_rows_all(const qmcu_row_shape *shape, const qmcu_row_shape *unbounded, const qmcu_row *row)
{
    if (shape->format < QMCU_U8) {
        qmcu_rows_channel(shape, unbounded, row, 0u, 0);
        qmcu_rows_channel(shape, unbounded, row, 1u, 1);
        return;
    }
    for (uint32_t channel = 0u; channel < 2u; channel++) {
        qmcu_rows_channel(shape, unbounded, row, channel, 0);
    }
}

/* Convolves by rows and returns 1, or 0 where they cannot compute the layer; see qmcu_row_shape. */
int qmcu_depthwise_rows(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* The same with a function made for the layer, whose constant is `shape`. Returns 0 where these maps do not fit. */
int qmcu_depthwise_by(const qmcu_row_shape *shape, qmcu_row_function *function, const qmcu_depthwise2d_params *params,
                      const qmcu_map *in, const qmcu_map *out);

/* Output rows from oy on that may be computed channel after channel: what is written for one must not be an input of
 * another. */
int32_t qmcu_rows_together(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out, int32_t oy);

/*
 * Bytes by which the output lies before a place where all its rows but the last could be computed channel after
 * channel, because there channels have the same places in all pixels of both maps; 0: it is none, or there is no such
 * place within the output.
 */
int32_t qmcu_rows_aside(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* The weights and scales of channels c and c + 1 of so many; `flip` is what makes signed codes unsigned, see
 * qmcu_depthwise2d_dsp_gather.h. */
void qmcu_row_prepare(const qmcu_row_shape *shape, const qmcu_depthwise2d_params *params, uint32_t flip,
                      int32_t channels, int32_t c, qmcu_row_weights *k);

/* Moves both channels' rows of taps down by as many as the stride has, the last ones to the top. */
void qmcu_row_unrolled(const qmcu_row_shape *shape, qmcu_row_weights *k);

#endif

#endif /* QMCU_DEPTHWISE2D_DSP_H */
