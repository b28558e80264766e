/*
 * QuantMCU runtime: codes of 16 bits beside others. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_S16_H
#define QMCU_S16_H

#include <string.h>

#include "qmcu_requantize.h"

/* Codes [0, n) from the byte p on, of any format. n <= QMCU_CHUNK. */
QMCU_INLINE void qmcu_s16_unpack(const uint8_t *p, int32_t n, uint32_t format, int16_t *codes)
{
    if (format == QMCU_S16) {
        memcpy(codes, p, (size_t)n * sizeof *codes);
    } else {
        qmcu_unpack(p, n, format, codes);
    }
}

/* Writes codes of any format, as qmcu_pack. n <= QMCU_CHUNK. */
QMCU_INLINE void qmcu_s16_pack(const int16_t *codes, int32_t n, uint32_t format, uint8_t *p)
{
    if (format == QMCU_S16) {
        memcpy(p, codes, (size_t)n * sizeof *codes);
    } else {
        qmcu_pack(codes, n, format, p);
    }
}

/* Code of an accumulator that includes the bias; `r` is a copy, so that what is written cannot change it. */
QMCU_INLINE int32_t qmcu_s16_code(const qmcu_requant *r, int32_t multiplier, int32_t max, int32_t acc)
{
    const int32_t round = (int32_t)(1u << (r->shift - 1u));
    return qmcu_clamp((qmcu_mulhi(qmcu_shift_left(acc, r->pre_shift), multiplier) + round) >> r->shift, r->min, max);
}

QMCU_INLINE int32_t qmcu_s16_max(const qmcu_requant *r, int32_t c)
{
    return r->max_table != NULL ? r->max_table[c] : r->max;
}

#endif /* QMCU_S16_H */
