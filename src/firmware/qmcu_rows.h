/*
 * QuantMCU runtime: depthwise convolutions row by row and channel by channel (qmcu_row.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_ROWS_H
#define QMCU_ROWS_H

#include "qmcu_row.h"

#if QMCU_DSP

/* Convolves by rows and returns 1, or 0 where they cannot compute the layer; see qmcu_row_shape. */
int qmcu_depthwise_rows(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* The same with a function made for the layer, whose constant is `shape`. Returns 0 where these maps do not fit. */
int qmcu_depthwise_by(const qmcu_row_shape *shape, qmcu_row_function *function, const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* Output rows from oy on that may be computed channel after channel: what is written for one must not be an input of another. */
int32_t qmcu_rows_together(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out, int32_t oy);

/*
 * Bytes by which the output lies before a place where all its rows but the last could be computed channel after channel, for there channels have
 * the same places in all pixels of both maps; 0: it is none, or there is no such place within the output.
 */
int32_t qmcu_rows_aside(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* The weights and scales of channels c and c + 1 of so many; `flip` is what makes signed codes unsigned, see qmcu_planes.h. */
void qmcu_row_prepare(const qmcu_row_shape *shape, const qmcu_depthwise2d_params *params, uint32_t flip, int32_t channels, int32_t c, qmcu_row_weights *k);

/* Moves both channels' rows of taps down by as many as the stride has, the last ones to the top. */
void qmcu_row_turn(const qmcu_row_shape *shape, qmcu_row_weights *k);

#endif

#endif /* QMCU_ROWS_H */
