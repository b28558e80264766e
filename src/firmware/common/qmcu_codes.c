/*
 * QuantMCU runtime: packing and unpacking of codes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_mve.h"

#if !QMCU_MVE

QMCU_INLINE void unpack(uint32_t format, const uint8_t *p, int32_t n, int16_t *codes)
{
    for (int32_t i = 0; i < n; i++) {
        codes[i] = (int16_t)qmcu_code(p, (uint32_t)i, format);
    }
}

QMCU_KERNEL void qmcu_unpack(const uint8_t *p, int32_t n, uint32_t format, int16_t *codes)
{
    /* Signed codes are read as patterns, too. */
    QMCU_ASSUME_FORMAT(QMCU_USED_FORMATS | (QMCU_USED_FORMATS >> 1 & 21u), format);
    switch (format) {
    case QMCU_U2:
        unpack(QMCU_U2, p, n, codes);
        break;
    case QMCU_S2:
        unpack(QMCU_S2, p, n, codes);
        break;
    case QMCU_U4:
        unpack(QMCU_U4, p, n, codes);
        break;
    case QMCU_S4:
        unpack(QMCU_S4, p, n, codes);
        break;
    case QMCU_U8:
        unpack(QMCU_U8, p, n, codes);
        break;
    default:
        unpack(QMCU_S8, p, n, codes);
        break;
    }
}

QMCU_KERNEL void qmcu_pack(const int16_t *codes, int32_t n, uint32_t format, uint8_t *p)
{
    const uint32_t bits = qmcu_bits(format);
    if (bits == 8u) {
        for (int32_t i = 0; i < n; i++) {
            p[i] = (uint8_t)codes[i];
        }
        return;
    }
    qmcu_writer writer = qmcu_write_pixel(p, format);
    for (int32_t i = 0; i < n; i++) {
        qmcu_write(&writer, codes[i]);
    }
    qmcu_write_end(&writer);
}

#endif /* !QMCU_MVE */
