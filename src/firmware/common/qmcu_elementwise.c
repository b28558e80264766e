/*
 * QuantMCU runtime: element-wise kernels. Each unpacks a chunk of codes, computes and packs.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "qmcu_dsp.h"

/*
 * Where a kernel treats all channels alike and both maps are dense, a row is one long pixel: longer chunks for maps of
 * few channels.
 */
static void flatten_rows(qmcu_map *in, qmcu_map *out)
{
    if (qmcu_is_dense(in) && qmcu_is_dense(out)) {
        in->channels *= in->w;
        out->channels *= out->w;
        in->w = 1;
        out->w = 1;
    }
}

#if !QMCU_MVE
QMCU_INLINE int32_t requantize_code(const qmcu_scaled_sum *p, int32_t code, int32_t m, int32_t offset)
{
    return qmcu_clamp((code * m + offset) >> p->shift, p->min, p->max);
}

/*
 * One pixel of 8-bit codes; factors advance by `step`, 0 or 1, from channel to channel. Both codes of a byte are read
 * before it is written: the output may lie over the input. Inlined with a constant sign.
 */
QMCU_INLINE void requantize_pixel(const qmcu_scaled_sum *p, uint32_t sign, const uint8_t *x, int32_t n,
                                  const int16_t *m, int32_t m_step, const int32_t *offset, int32_t offset_step,
                                  uint32_t bits, uint8_t *to)
{
    if (bits == 8u) {
        for (int32_t i = 0; i < n; i++) {
            to[i] = (uint8_t)requantize_code(p, qmcu_byte_code(sign, x + i), m[i * m_step], offset[i * offset_step]);
        }
        return;
    }
    int32_t i = 0;
    for (; i + 1 < n; i += 2) {
        const int32_t low = requantize_code(p, qmcu_byte_code(sign, x + i), m[i * m_step], offset[i * offset_step]);
        const int32_t high =
            requantize_code(p, qmcu_byte_code(sign, x + i + 1), m[(i + 1) * m_step], offset[(i + 1) * offset_step]);
        to[i / 2] = (uint8_t)(((uint32_t)low & 15u) | (uint32_t)high << 4);
    }
    if (i < n) {
        to[i / 2] = (uint8_t)((uint32_t)requantize_code(p, qmcu_byte_code(sign, x + i), m[i * m_step],
                                                        offset[i * offset_step]) &
                              15u);
    }
}

/* 8-bit codes to 8- or 4-bit ones: 1, or 0 where the maps are others. */
static int requantize_bytes(const qmcu_scaled_sum *p, const qmcu_map *in, const qmcu_map *out)
{
    const uint32_t bits = qmcu_bits(out->format);
    const int16_t *m = p->multiplier_table[0] != NULL ? p->multiplier_table[0] : &p->multiplier[0];
    const int32_t *offset = p->offset_table != NULL ? p->offset_table : &p->offset;
    const int32_t m_step = p->multiplier_table[0] != NULL;
    const int32_t offset_step = p->offset_table != NULL;
    if (in->format < QMCU_U8 || bits < 4u) {
        return 0;
    }
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            const uint8_t *from = qmcu_at(in, y, x, 0);
            uint8_t *to = qmcu_at(out, y, x, 0);
            if (bits == 8u && in->format == QMCU_U8) {
                requantize_pixel(p, 0u, from, out->channels, m, m_step, offset, offset_step, 8u, to);
            } else if (bits == 8u) {
                requantize_pixel(p, 1u, from, out->channels, m, m_step, offset, offset_step, 8u, to);
            } else if (in->format == QMCU_U8) {
                requantize_pixel(p, 0u, from, out->channels, m, m_step, offset, offset_step, 4u, to);
            } else {
                requantize_pixel(p, 1u, from, out->channels, m, m_step, offset, offset_step, 4u, to);
            }
        }
    }
    return 1;
}
#endif

QMCU_KERNEL QMCU_SMALL void qmcu_requantize(const qmcu_scaled_sum *p, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_map from = *in;
    qmcu_map to = *out;
    int16_t codes[QMCU_CHUNK];
    if (p->multiplier_table[0] == NULL && p->offset_table == NULL) {
        flatten_rows(&from, &to);
    }
#if !QMCU_MVE
    if (requantize_bytes(p, &from, &to)) {
        return;
    }
#endif
    for (int32_t y = 0; y < to.h; y++) {
        for (int32_t x = 0; x < to.w; x++) {
            for (int32_t c = 0; c < to.channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, to.channels - c);
                qmcu_unpack(qmcu_at(&from, y, x, c), n, from.format, codes);
#if QMCU_MVE
                qmcu_mve_scaled_sum(p, c, n, codes, NULL);
#else
                for (int32_t i = 0; i < n; i++) {
                    const int32_t m = p->multiplier_table[0] != NULL ? p->multiplier_table[0][c + i] : p->multiplier[0];
                    const int32_t offset = p->offset_table != NULL ? p->offset_table[c + i] : p->offset;
                    codes[i] = (int16_t)qmcu_clamp((codes[i] * m + offset) >> p->shift, p->min, p->max);
                }
#endif
                qmcu_pack(codes, n, to.format, qmcu_at(&to, y, x, c));
            }
        }
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_mul(const qmcu_mul_params *p, const qmcu_map *in0, const qmcu_map *in1,
                                     const qmcu_map *out)
{
    const qmcu_map a = qmcu_broadcast(in0);
    const qmcu_map b = qmcu_broadcast(in1);
    int16_t x0[QMCU_CHUNK];
    int16_t x1[QMCU_CHUNK];
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                qmcu_unpack(qmcu_at(&a, y, x, c), n, a.format, x0);
                qmcu_unpack(qmcu_at(&b, y, x, c), n, b.format, x1);
                for (int32_t i = 0; i < n; i++) {
                    const int32_t acc = (x0[i] - p->zeros[0]) * (x1[i] - p->zeros[1]);
                    x0[i] = (int16_t)qmcu_requantize_acc(&p->requant, c + i, acc);
                }
                qmcu_pack(x0, n, out->format, qmcu_at(out, y, x, c));
            }
        }
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_prelu(const qmcu_prelu_params *p, const qmcu_map *in, const qmcu_map *out)
{
    int16_t codes[QMCU_CHUNK];
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                qmcu_unpack(qmcu_at(in, y, x, c), n, in->format, codes);
                for (int32_t i = 0; i < n; i++) {
                    const int32_t positive = p->positive_table != NULL ? p->positive_table[c + i] : p->positive;
                    const int32_t slope = codes[i] >= 0 ? positive : p->negative[c + i];
                    codes[i] = (int16_t)qmcu_clamp((codes[i] * slope + p->offset) >> p->shift, p->min, p->max);
                }
                qmcu_pack(codes, n, out->format, qmcu_at(out, y, x, c));
            }
        }
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_lookup(const int16_t *table, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_map from = *in;
    qmcu_map to = *out;
    int16_t codes[QMCU_CHUNK];
    flatten_rows(&from, &to);
    from.format &= ~1u; /* patterns, not values */
    for (int32_t y = 0; y < to.h; y++) {
        for (int32_t x = 0; x < to.w; x++) {
            for (int32_t c = 0; c < to.channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, to.channels - c);
                qmcu_unpack(qmcu_at(&from, y, x, c), n, from.format, codes);
                for (int32_t i = 0; i < n; i++) {
                    codes[i] = table[codes[i]];
                }
                qmcu_pack(codes, n, to.format, qmcu_at(&to, y, x, c));
            }
        }
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_copy(const qmcu_map *in, const qmcu_map *out)
{
    qmcu_map from = *in;
    qmcu_map to = *out;
    flatten_rows(&from, &to);
    const uint32_t bits = (uint32_t)to.channels * qmcu_bits(to.format);
    const size_t whole = bits / 8u;
    const uint32_t rest = bits % 8u;
    for (int32_t y = 0; y < to.h; y++) {
        for (int32_t x = 0; x < to.w; x++) {
            const uint8_t *source = qmcu_at(&from, y, x, 0);
            uint8_t *target = qmcu_at(&to, y, x, 0);
            const uint32_t last = rest != 0u ? source[whole] & ((1u << rest) - 1u) : 0u;
            memmove(target, source, whole);
            if (rest != 0u) {
                target[whole] = (uint8_t)last;
            }
        }
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_fill(const int16_t *codes, const qmcu_map *out)
{
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                qmcu_pack(codes + c, qmcu_min(QMCU_CHUNK, out->channels - c), out->format, qmcu_at(out, y, x, c));
            }
        }
    }
}
