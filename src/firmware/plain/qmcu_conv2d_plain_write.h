/*
 * QuantMCU runtime: from sums to codes of one or four pixels, for cores without DSP and vector instructions. Not part
 * of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_PLAIN_WRITE_H
#define QMCU_CONV2D_PLAIN_WRITE_H

#include "qmcu_plain.h"

#if QMCU_PLAIN

/* Pixels that codes are written to. */
typedef struct {
    const qmcu_requant *requant;
    uint32_t bits;
    uint32_t pixels; /* 4 or 1 */
    uint8_t *to[4];
} qmcu_plain_outputs;

/* Writes the codes of channels o ... o + count - 1 from their sums without the bias, those of a channel lying together;
 * the sums are lost.
 */
typedef void qmcu_plain_write(const qmcu_plain_outputs *t, int32_t *sums, int32_t o, int32_t count);

/* The fastest way to write codes of a format. */
qmcu_plain_write *qmcu_plain_write_of(const qmcu_requant *r, uint32_t format);

#endif

#endif /* QMCU_CONV2D_PLAIN_WRITE_H */
