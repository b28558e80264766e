/*
 * QuantMCU runtime: pooling and resampling in which some map has 16 bits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_s16.h"

/* The taps of one window that lie inside the input. */
typedef struct {
    const uint8_t *first;
    int32_t rows;
    int32_t columns;
    int32_t next_row;
    int32_t next;
} s16_taps;

/* Those of output pixel (oy, ox) from channel c on. */
static QMCU_NOINLINE QMCU_SMALL s16_taps taps_of(const qmcu_window *window, const qmcu_map *in, int32_t oy, int32_t ox,
                                                 int32_t c)
{
    const int32_t y = oy * window->stride_h - window->pad_top;
    const int32_t x = ox * window->stride_w - window->pad_left;
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
    const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
    s16_taps taps;
    taps.first = qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, c);
    taps.rows = ky.end - ky.first;
    taps.columns = kx.end - kx.first;
    taps.next_row = window->dilation_h * in->row_bytes;
    taps.next = window->dilation_w * in->pixel_bytes;
    return taps;
}

QMCU_KERNEL void qmcu_max_pool_s16(const qmcu_window *window, const qmcu_map *in, const qmcu_map *out)
{
    int16_t codes[QMCU_CHUNK];
    int16_t largest[QMCU_CHUNK];
    for (int32_t oy = 0; oy < out->h; oy++) {
        for (int32_t ox = 0; ox < out->w; ox++) {
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                const s16_taps taps = taps_of(window, in, oy, ox, c);
                qmcu_s16_unpack(taps.first, n, in->format, largest);
                for (int32_t i = 0; i < taps.rows; i++) {
                    for (int32_t j = 0; j < taps.columns; j++) {
                        qmcu_s16_unpack(taps.first + i * taps.next_row + j * taps.next, n, in->format, codes);
                        for (int32_t k = 0; k < n; k++) {
                            largest[k] = codes[k] > largest[k] ? codes[k] : largest[k];
                        }
                    }
                }
                qmcu_s16_pack(largest, n, out->format, qmcu_at(out, oy, ox, c));
            }
        }
    }
}

QMCU_KERNEL void qmcu_average_pool_s16(const qmcu_average_pool_params *p, const qmcu_map *in, const qmcu_map *out)
{
    int16_t codes[QMCU_CHUNK];
    int32_t sum[QMCU_CHUNK];
    for (int32_t oy = 0; oy < out->h; oy++) {
        for (int32_t ox = 0; ox < out->w; ox++) {
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                const s16_taps taps = taps_of(&p->window, in, oy, ox, c);
                for (int32_t k = 0; k < n; k++) {
                    sum[k] = 0;
                }
                for (int32_t i = 0; i < taps.rows; i++) {
                    for (int32_t j = 0; j < taps.columns; j++) {
                        qmcu_s16_unpack(taps.first + i * taps.next_row + j * taps.next, n, in->format, codes);
                        for (int32_t k = 0; k < n; k++) {
                            sum[k] += codes[k];
                        }
                    }
                }
                for (int32_t k = 0; k < n; k++) {
                    const int32_t e = p->per_channel ? c + k : (taps.rows - 1) * p->window.kernel_w + taps.columns - 1;
                    const int32_t scaled = qmcu_mulhi(qmcu_shift_left(sum[k], p->pre_shift), p->multiplier[e]);
                    codes[k] = (int16_t)qmcu_clamp((scaled + p->offset[e]) >> p->shift, p->min, p->max);
                }
                qmcu_s16_pack(codes, n, out->format, qmcu_at(out, oy, ox, c));
            }
        }
    }
}

/* Four 16-bit codes, up to so many bytes apart, times their weights; of weight 0 none is read. */
static int32_t weigh(const uint8_t *p, int32_t next_row, int32_t next, int32_t fy, int32_t fx)
{
    int32_t sum = 32768;
    for (int32_t k = 0; k < 4; k++) {
        const int32_t weight = ((k & 2) != 0 ? fy : 256 - fy) * ((k & 1) != 0 ? fx : 256 - fx);
        if (weight != 0) {
            int16_t code;
            memcpy(&code, p + ((k & 2) != 0 ? next_row : 0) + ((k & 1) != 0 ? next : 0), sizeof code);
            sum += code * weight;
        }
    }
    return sum >> 16;
}

QMCU_KERNEL void qmcu_resize_s16(const qmcu_resize_params *p, const qmcu_map *in, const qmcu_map *out)
{
    for (int32_t oy = 0; oy < out->h; oy++) {
        for (int32_t ox = 0; ox < out->w; ox++) {
            const uint8_t *from = qmcu_at(in, p->rows[2 * oy], p->cols[2 * ox], 0);
            uint8_t *to = qmcu_at(out, oy, ox, 0);
            if (!p->linear) {
                memcpy(to, from, (size_t)out->channels * sizeof(int16_t));
                continue;
            }
            for (int32_t c = 0; c < out->channels; c++) {
                const int16_t code = (int16_t)weigh(from + 2 * c, in->row_bytes, in->pixel_bytes, p->rows[2 * oy + 1],
                                                    p->cols[2 * ox + 1]);
                memcpy(to + 2 * c, &code, sizeof code);
            }
        }
    }
}
