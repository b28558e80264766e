/*
 * QuantMCU runtime: norms over the channels of each pixel.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_internal.h"

typedef struct {
    int32_t sum;
    uint32_t squares; /* <= 65536 * 255 * 255 */
} qmcu_moments;

static qmcu_moments moments(const qmcu_map *in, int32_t y, int32_t x, int32_t zero)
{
    int16_t codes[QMCU_CHUNK];
    qmcu_moments m = {0, 0u};
    for (int32_t c = 0; c < in->channels; c += QMCU_CHUNK) {
        const int32_t n = qmcu_min(QMCU_CHUNK, in->channels - c);
        qmcu_unpack(qmcu_at(in, y, x, c), n, in->format, codes);
        for (int32_t i = 0; i < n; i++) {
            const int32_t d = codes[i] - zero;
            m.sum += d;
            m.squares += (uint32_t)(d * d);
        }
    }
    return m;
}

/* floor(sqrt(v)), bit by bit. */
static uint32_t square_root(uint32_t v)
{
    uint32_t root = 0u;
    for (uint32_t bit = 1u << 30; bit != 0u; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

QMCU_KERNEL void qmcu_normalize(const qmcu_normalize_params *p, const qmcu_map *in, const qmcu_map *out)
{
    int16_t codes[QMCU_CHUNK];
    const int32_t zero = p->centered ? 0 : p->zero_in;
    const int32_t factor = p->centered ? in->channels : 1;
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            const qmcu_moments m = moments(in, y, x, zero);
            const int32_t middle = p->centered ? m.sum : p->zero_in;
            uint64_t v = p->epsilon + (uint64_t)m.squares * (uint32_t)factor;
            int32_t shift = p->shift;
            if (p->centered) {
                v -= (uint64_t)((int64_t)m.sum * m.sum);
            }
            v = v > 0u ? v : 1u;
            for (; v >> 32 != 0u; v >>= 2) {
                shift++;
            }
            for (; v < 1u << 30; v <<= 2) {
                shift--;
            }
            const uint32_t inverse = (1u << 31) / square_root((uint32_t)v);
            const int32_t multiplier = qmcu_min((int32_t)inverse, 65535) * p->multiplier;
            shift = qmcu_clamp(shift, 1, 31);
            for (int32_t c = 0; c < in->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, in->channels - c);
                qmcu_unpack(qmcu_at(in, y, x, c), n, in->format, codes);
                for (int32_t i = 0; i < n; i++) {
                    const int32_t d = (codes[i] * factor - middle) * (int32_t)(1u << p->pre_shift);
                    const int32_t share = (qmcu_mulhi(d, multiplier) + (int32_t)(1u << (shift - 1))) >> shift;
                    codes[i] = (int16_t)qmcu_clamp(share + p->zero_out, p->min, p->max);
                }
                qmcu_pack(codes, n, out->format, qmcu_at(out, y, x, c));
            }
        }
    }
}
