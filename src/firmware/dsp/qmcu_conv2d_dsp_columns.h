/*
 * QuantMCU runtime: columns, the codes under one window as 16-bit numbers. Not part of the interface.
 *
 * A block is the columns of up to four output pixels. Codes are stored in pairs, so a word holds codes k and k + 1 of
 * one pixel, and the pairs of the block's pixels beside each other: code k of pixel p is at (k / 2) * 2 * pixels + 2 *
 * p + k mod 2. A column of odd length ends with a 0.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_COLUMNS_H
#define QMCU_CONV2D_DSP_COLUMNS_H

#include "qmcu_internal.h"

/* Writes codes i ... i + n - 1, counted from the first code of byte p, as codes k ... of a column; `step` is 2 * pixels
 * of its block. */
void qmcu_expand(const uint8_t *p, uint32_t format, uint32_t i, uint32_t n, int16_t *column, uint32_t step, uint32_t k);

/* Likewise with `taps` times the codes of padding; NULL: 0. */
void qmcu_expand_padding(const int16_t *codes, uint32_t i, uint32_t n, uint32_t channels, int16_t *column,
                         uint32_t step, uint32_t k);

#endif /* QMCU_CONV2D_DSP_COLUMNS_H */
