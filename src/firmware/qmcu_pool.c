/*
 * QuantMCU runtime: pooling and resampling.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_mve.h"

QMCU_KERNEL void qmcu_max_pool(const qmcu_window *window, const qmcu_map *in, const qmcu_map *out)
{
    const int32_t chunk = QMCU_CHUNK;
    int16_t codes[QMCU_CHUNK];
    int16_t largest[QMCU_CHUNK];
    for (int32_t oy = 0; oy < out->h; oy++) {
        const int32_t y = oy * window->stride_h - window->pad_top;
        const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
        for (int32_t ox = 0; ox < out->w; ox++) {
            const int32_t x = ox * window->stride_w - window->pad_left;
            const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
            for (int32_t c = 0; c < out->channels; c += chunk) {
                const int32_t n = qmcu_min(chunk, out->channels - c);
                for (int32_t i = 0; i < n; i++) {
                    largest[i] = INT16_MIN;
                }
                for (int32_t i = ky.first; i < ky.end; i++) {
                    for (int32_t j = kx.first; j < kx.end; j++) {
                        qmcu_unpack(qmcu_at(in, y + i * window->dilation_h, x + j * window->dilation_w, c), n, in->format, codes);
                        for (int32_t k = 0; k < n; k++) {
                            largest[k] = codes[k] > largest[k] ? codes[k] : largest[k];
                        }
                    }
                }
                qmcu_pack(largest, n, out->format, qmcu_at(out, oy, ox, c));
            }
        }
    }
}

QMCU_KERNEL void qmcu_average_pool(const qmcu_average_pool_params *p, const qmcu_map *in, const qmcu_map *out)
{
    const qmcu_window *window = &p->window;
    int16_t codes[QMCU_CHUNK];
    int32_t sum[QMCU_CHUNK];
    for (int32_t oy = 0; oy < out->h; oy++) {
        const int32_t y = oy * window->stride_h - window->pad_top;
        const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
        for (int32_t ox = 0; ox < out->w; ox++) {
            const int32_t x = ox * window->stride_w - window->pad_left;
            const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
            const int32_t entry = (ky.end - ky.first - 1) * window->kernel_w + (kx.end - kx.first - 1);
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
#if QMCU_MVE
                const uint8_t *first = qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, c);
                const qmcu_mve_pixels pixels = { ky.end - ky.first, kx.end - kx.first, window->dilation_h * in->row_bytes, window->dilation_w * in->pixel_bytes };
                qmcu_mve_sum_pixels(first, &pixels, n, in->format, sum);
                qmcu_mve_average(p, p->per_channel ? c : entry, n, sum, codes);
#else
                for (int32_t i = 0; i < n; i++) {
                    sum[i] = 0;
                }
                for (int32_t i = ky.first; i < ky.end; i++) {
                    for (int32_t j = kx.first; j < kx.end; j++) {
                        qmcu_unpack(qmcu_at(in, y + i * window->dilation_h, x + j * window->dilation_w, c), n, in->format, codes);
                        for (int32_t k = 0; k < n; k++) {
                            sum[k] += codes[k];
                        }
                    }
                }
                for (int32_t i = 0; i < n; i++) {
                    const int32_t e = p->per_channel ? c + i : entry;
                    const int32_t scaled = qmcu_mulhi(qmcu_shift_left(sum[i], p->pre_shift), p->multiplier[e]);
                    codes[i] = (int16_t)qmcu_clamp((scaled + p->offset[e]) >> p->shift, p->min, p->max);
                }
#endif
                qmcu_pack(codes, n, out->format, qmcu_at(out, oy, ox, c));
            }
        }
    }
}

/* sum[i] += weight * code i of the pixel. */
static void add_weighted(const uint8_t *pixel, int32_t n, uint32_t format, int32_t weight, int32_t *sum)
{
    int16_t codes[QMCU_CHUNK];
    qmcu_unpack(pixel, n, format, codes);
    for (int32_t i = 0; i < n; i++) {
        sum[i] += weight * codes[i];
    }
}

QMCU_KERNEL void qmcu_resize(const qmcu_resize_params *p, const qmcu_map *in, const qmcu_map *out)
{
    int16_t codes[QMCU_CHUNK];
    int32_t sum[QMCU_CHUNK];
    for (int32_t oy = 0; oy < out->h; oy++) {
        const int32_t y = p->rows[2 * oy];
        const int32_t fy = p->linear ? p->rows[2 * oy + 1] : 0;
        for (int32_t ox = 0; ox < out->w; ox++) {
            const int32_t x = p->cols[2 * ox];
            const int32_t fx = p->linear ? p->cols[2 * ox + 1] : 0;
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                const uint8_t *pixel = qmcu_at(in, y, x, c);
                for (int32_t i = 0; i < n; i++) {
                    sum[i] = 32768;
                }
                add_weighted(pixel, n, in->format, (256 - fy) * (256 - fx), sum);
                if (fx != 0) {
                    add_weighted(pixel + in->pixel_bytes, n, in->format, (256 - fy) * fx, sum);
                }
                if (fy != 0) {
                    add_weighted(pixel + in->row_bytes, n, in->format, fy * (256 - fx), sum);
                }
                if (fx != 0 && fy != 0) {
                    add_weighted(pixel + in->row_bytes + in->pixel_bytes, n, in->format, fy * fx, sum);
                }
                for (int32_t i = 0; i < n; i++) {
                    codes[i] = (int16_t)(sum[i] >> 16);
                }
                qmcu_pack(codes, n, out->format, qmcu_at(out, oy, ox, c));
            }
        }
    }
}
