/*
 * QuantMCU runtime: kernels over all codes of a pixel or a region.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_internal.h"

static int32_t largest_code(const qmcu_map *in, int32_t y, int32_t x)
{
    int16_t codes[QMCU_CHUNK];
    int32_t largest = INT16_MIN;
    for (int32_t c = 0; c < in->channels; c += QMCU_CHUNK) {
        const int32_t n = qmcu_min(QMCU_CHUNK, in->channels - c);
        qmcu_unpack(qmcu_at(in, y, x, c), n, in->format, codes);
        for (int32_t i = 0; i < n; i++) {
            largest = codes[i] > largest ? codes[i] : largest;
        }
    }
    return largest;
}

QMCU_KERNEL void qmcu_softmax(const uint16_t *table, uint32_t one, const qmcu_map *in, const qmcu_map *out)
{
    int16_t codes[QMCU_CHUNK];
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            const int32_t largest = largest_code(in, y, x);
            uint32_t sum = 0u; /* <= 65536 * 65535 */
            for (int32_t c = 0; c < in->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, in->channels - c);
                qmcu_unpack(qmcu_at(in, y, x, c), n, in->format, codes);
                for (int32_t i = 0; i < n; i++) {
                    sum += table[largest - codes[i]];
                }
            }
            for (int32_t c = 0; c < in->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, in->channels - c);
                uint8_t *p = qmcu_at(out, y, x, c);
                qmcu_unpack(qmcu_at(in, y, x, c), n, in->format, codes);
                for (int32_t i = 0; i < n; i++) {
                    const uint32_t share = (table[largest - codes[i]] * one + sum / 2u) / sum;
                    p[i] = (uint8_t)(share < 255u ? share : 255u);
                }
            }
        }
    }
}

static uint8_t qmcu_element(const qmcu_map *in, int dense, int32_t i)
{
    const int32_t in_row = in->w * in->channels;
    return dense ? in->data[i] : *qmcu_at(in, i / in_row, i % in_row / in->channels, i % in->channels);
}

/* Walks through the counters; the innermost one in runs that end with it or with the output's pixel. */
static void qmcu_permute_counters(const qmcu_permute_params *p, const qmcu_map *in, int dense, const qmcu_map *out)
{
    int32_t digits[QMCU_PERMUTE_COUNTERS] = {0};
    const int32_t last = p->count - 1;
    const int32_t size = p->counters[2 * last];
    const int32_t stride = p->counters[2 * last + 1];
    int32_t from = p->first;
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            uint8_t *pixel = qmcu_at(out, y, x, 0);
            for (int32_t c = 0; c < out->channels;) {
                const int32_t run = qmcu_min(size - digits[last], out->channels - c);
                for (int32_t i = 0; i < run; i++, c++, from += stride) {
                    pixel[c] = qmcu_element(in, dense, from);
                }
                digits[last] += run;
                for (int32_t d = last; d >= 0 && digits[d] == p->counters[2 * d]; d--) {
                    from -= digits[d] * p->counters[2 * d + 1];
                    digits[d] = 0;
                    if (d > 0) {
                        digits[d - 1]++;
                        from += p->counters[2 * d - 1];
                    }
                }
            }
        }
    }
}

QMCU_KERNEL void qmcu_permute(const qmcu_permute_params *p, const qmcu_map *in, const qmcu_map *out)
{
    const int32_t in_row = in->w * in->channels;
    const int dense = in->pixel_bytes == in->channels && in->row_bytes == in_row;
    int32_t element = 0;
    if (p->counters != NULL) {
        qmcu_permute_counters(p, in, dense, out);
        return;
    }
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            uint8_t *pixel = qmcu_at(out, y, x, 0);
            for (int32_t c = 0; c < out->channels; c++, element++) {
                pixel[c] = qmcu_element(in, dense, p->index16 != NULL ? p->index16[element] : p->index32[element]);
            }
        }
    }
}

QMCU_KERNEL void qmcu_classify(int32_t low, int32_t high, int32_t limit, const qmcu_map *in, uint8_t *flag)
{
    int16_t codes[QMCU_CHUNK];
    int32_t outside = 0;
    for (int32_t y = 0; y < in->h; y++) {
        for (int32_t x = 0; x < in->w; x++) {
            for (int32_t c = 0; c < in->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, in->channels - c);
                qmcu_unpack(qmcu_at(in, y, x, c), n, in->format, codes);
                for (int32_t i = 0; i < n; i++) {
                    outside += codes[i] < low || codes[i] > high;
                }
            }
        }
    }
    *flag = outside > limit ? 1u : 0u;
}
