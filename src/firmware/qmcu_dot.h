/*
 * QuantMCU runtime: inner products of packed codes with packed weights. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DOT_H
#define QMCU_DOT_H

#include "qmcu_internal.h"

/* Four inner products that share their codes. */
typedef struct {
    const uint8_t *w0; /* rows of weights; each begins on a byte */
    const uint8_t *w1;
    const uint8_t *w2;
    const uint8_t *w3;
    int32_t acc0;
    int32_t acc1;
    int32_t acc2;
    int32_t acc3;
} qmcu_dot4;

/* Rows first, first + 1, ... < end of `weights`, all sums 0. Where fewer than four are left the last one is repeated. */
QMCU_INLINE qmcu_dot4 qmcu_dot4_rows(const void *weights, uint32_t row_bytes, int32_t first, int32_t end)
{
    const uint8_t *w0 = (const uint8_t *)weights + (uint32_t)first * row_bytes;
    const uint8_t *w1 = first + 1 < end ? w0 + row_bytes : w0;
    const uint8_t *w2 = first + 2 < end ? w1 + row_bytes : w1;
    const uint8_t *w3 = first + 3 < end ? w2 + row_bytes : w2;
    qmcu_dot4 dot = { w0, w1, w2, w3, 0, 0, 0, 0 };
    return dot;
}

/* Adds code * weight at index i of every row. */
QMCU_INLINE void qmcu_dot4_one(qmcu_dot4 *dot, int32_t code, uint32_t i, uint32_t weight_bits)
{
    dot->acc0 += code * qmcu_weight(dot->w0, i, weight_bits);
    dot->acc1 += code * qmcu_weight(dot->w1, i, weight_bits);
    dot->acc2 += code * qmcu_weight(dot->w2, i, weight_bits);
    dot->acc3 += code * qmcu_weight(dot->w3, i, weight_bits);
}

/* Requantizes the sums of output channels first, first + 1, ... < end and writes their codes. */
QMCU_INLINE void qmcu_dot4_write(const qmcu_dot4 *dot, const qmcu_requant *requant, int32_t first, int32_t end, qmcu_writer *writer)
{
    const int32_t acc[4] = { dot->acc0, dot->acc1, dot->acc2, dot->acc3 };
    const int32_t count = qmcu_min(4, end - first);
    for (int32_t j = 0; j < count; j++) {
        qmcu_write(writer, qmcu_requantize_acc(requant, first + j, acc[j]));
    }
}

/* Adds x[xi + k] * w[wi + k] for k < n to the four sums; indices count codes and weights from a byte's first. */
typedef void qmcu_dot4_run(qmcu_dot4 *dot, const uint8_t *x, uint32_t xi, uint32_t wi, uint32_t n);

/* The run for maps of this format and weights of these bits. */
qmcu_dot4_run *qmcu_dot4_run_of(uint32_t format, uint32_t weight_bits);

#endif /* QMCU_DOT_H */
