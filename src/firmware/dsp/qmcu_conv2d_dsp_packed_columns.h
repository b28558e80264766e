/*
 * QuantMCU runtime: columns of packed convolutions (qmcu_conv2d_dsp_packed.h): those of two pixels whose codes share a
 * word, and how far sums go in them. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_PACKED_COLUMNS_H
#define QMCU_CONV2D_DSP_PACKED_COLUMNS_H

#include "qmcu_conv2d_dsp_packed.h"

#if QMCU_DSP

/*
 * Joins the codes of pixels 0 and 1, and 2 and 3, of columns as qmcu_convolve_gather makes them, in the same place;
 * `length` is a multiple of the shape's unit. Finds the segments, from the sums of squares of each pixel, of which no
 * segment of more than one unit may exceed the limit for its length, and returns how many they are; where sums always
 * fit there is one, of all units.
 */
uint32_t qmcu_join_columns(const qmcu_pack_shape *shape, int16_t *columns, uint32_t length, uint8_t *segments);

/* The same with the 8-bit codes of four pixels that begin at `at`; the unit is a multiple of 4. */
uint32_t qmcu_join_pixels(const qmcu_pack_shape *shape, uint32_t format, const uint8_t *const at[4], int16_t *columns,
                          uint32_t length, uint8_t *segments);

/* Finds the segments only: columns of QMCU_PACK_HALVES stay as they are. */
uint32_t qmcu_measure_columns(const qmcu_pack_shape *shape, const int16_t *columns, uint32_t length, uint8_t *segments);

#endif

#endif /* QMCU_CONV2D_DSP_PACKED_COLUMNS_H */
