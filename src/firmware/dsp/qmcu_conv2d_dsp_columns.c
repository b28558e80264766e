/*
 * QuantMCU runtime: columns, the codes under one window as 16-bit numbers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_conv2d_dsp_columns.h"

#include "qmcu_dsp.h"

#if QMCU_DSP

QMCU_INLINE int16_t *column_at(int16_t *column, uint32_t step, uint32_t k)
{
    return column + (k >> 1) * step + (k & 1u);
}

/* Whole words of 8-bit codes, from an even place of the column on. */
QMCU_INLINE void expand_words(const uint8_t *p, uint32_t is_signed, uint32_t words, int16_t *column, uint32_t step)
{
    for (; words > 0u; words--) {
        const uint32_t codes = qmcu_load_unaligned(p);
        const uint32_t even = is_signed ? qmcu_sxtb16(codes) : qmcu_uxtb16(codes);
        const uint32_t odd = is_signed ? qmcu_sxtb16_ror8(codes) : qmcu_uxtb16_ror8(codes);
        qmcu_store(column, qmcu_pkh_low(even, odd));
        qmcu_store(column + step, qmcu_pkh_high(even, odd));
        p += 4;
        column += 2u * step;
    }
}

/* Whole bytes of 4- or 2-bit codes, from an even place of the column on. */
QMCU_INLINE void expand_bytes(const uint8_t *p, uint32_t format, uint32_t bytes, int16_t *column, uint32_t step)
{
    const uint32_t bits = qmcu_bits(format);
    for (; bytes > 0u; bytes--) {
        for (uint32_t i = 0u; i < 8u / bits; i += 2u) {
            const uint32_t sign = (format & 1u) != 0u ? 0x00010001u << (bits - 1u) : 0u;
            const uint32_t mask = 0x00010001u * ((1u << bits) - 1u);
            const uint32_t byte = (uint32_t)*p >> (i * bits);
            const uint32_t pair = (byte | byte << (16u - bits)) & mask;
            qmcu_store(column, sign != 0u ? qmcu_ssub16(pair ^ sign, sign) : pair);
            column += step;
        }
        p++;
    }
}

/* Inlined with a constant format. */
QMCU_INLINE void columns_expand(const uint8_t *p, uint32_t format, uint32_t i, uint32_t n, int16_t *column,
                                uint32_t step, uint32_t k)
{
    const uint32_t per_byte = 8u / qmcu_bits(format);
    const uint32_t unroll = per_byte == 1u ? 4u : per_byte;
    while (n > 0u && ((k & 1u) != 0u || i % per_byte != 0u)) {
        *column_at(column, step, k) = (int16_t)qmcu_code(p, i, format);
        i++;
        k++;
        n--;
    }
    if (n >= unroll) {
        const uint32_t iterations = n / unroll;
        if (per_byte == 1u) {
            expand_words(p + i, format & 1u, iterations, column_at(column, step, k), step);
        } else {
            expand_bytes(p + i / per_byte, format, iterations, column_at(column, step, k), step);
        }
        i += iterations * unroll;
        k += iterations * unroll;
        n -= iterations * unroll;
    }
    for (; n > 0u; n--) {
        *column_at(column, step, k) = (int16_t)qmcu_code(p, i, format);
        i++;
        k++;
    }
}

QMCU_SMALL void qmcu_expand(const uint8_t *p, uint32_t format, uint32_t i, uint32_t n, int16_t *column, uint32_t step,
                            uint32_t k)
{
    QMCU_ASSUME_FORMAT(QMCU_CONV2D_INPUTS, format);
    switch (format) {
    case QMCU_U8:
        columns_expand(p, QMCU_U8, i, n, column, step, k);
        break;
    case QMCU_S8:
        columns_expand(p, QMCU_S8, i, n, column, step, k);
        break;
    case QMCU_U4:
        columns_expand(p, QMCU_U4, i, n, column, step, k);
        break;
    case QMCU_S4:
        columns_expand(p, QMCU_S4, i, n, column, step, k);
        break;
    case QMCU_U2:
        columns_expand(p, QMCU_U2, i, n, column, step, k);
        break;
    default:
        columns_expand(p, QMCU_S2, i, n, column, step, k);
        break;
    }
}

QMCU_SMALL void qmcu_expand_padding(const int16_t *codes, uint32_t i, uint32_t n, uint32_t channels, int16_t *column,
                                    uint32_t step, uint32_t k)
{
    i %= channels;
    for (; n > 0u; n--) {
        *column_at(column, step, k) = codes != NULL ? codes[i] : (int16_t)0;
        i = i + 1u == channels ? 0u : i + 1u;
        k++;
    }
}

#endif /* QMCU_DSP */
