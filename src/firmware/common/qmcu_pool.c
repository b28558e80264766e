/*
 * QuantMCU runtime: pooling and resampling.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "qmcu_dsp.h"

#if !QMCU_MVE
/* Taps inside the input, those of one row after the other. */
typedef struct {
    const uint8_t *first;
    int32_t rows;
    int32_t columns;
    int32_t next_row;
    int32_t next;
} pool_taps;

/* Four bytes at any address. */
QMCU_INLINE uint32_t load_bytes(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Codes are compared a byte or, with the DSP extension, four at a time. */
#if QMCU_DSP
#define UNIT_BYTES 4
QMCU_INLINE uint32_t larger_codes(uint32_t a, uint32_t b)
{
    return qmcu_larger_bytes(a, b);
}
QMCU_INLINE uint32_t load_unit(const uint8_t *p)
{
    return load_bytes(p);
}
#else
#define UNIT_BYTES 1
QMCU_INLINE uint32_t larger_codes(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}
QMCU_INLINE uint32_t load_unit(const uint8_t *p)
{
    return *p;
}
#endif

/*
 * The largest codes of one unit of bytes under a window, as unsigned numbers: `flip` inverts the highest bits of signed
 * ones. Those of 4 bits are compared at the top of bytes, even and odd ones apart. Inlined with constant bits.
 */
QMCU_INLINE uint32_t largest_unit(uint32_t bits, const pool_taps *taps, const uint8_t *row, uint32_t flip)
{
    const uint32_t high = 0xf0f0f0f0u;
    uint32_t even = 0u;
    uint32_t odd = 0u;
    for (int32_t i = taps->rows; i > 0; i--) {
        const uint8_t *p = row;
        for (int32_t j = taps->columns; j > 0; j--) {
            const uint32_t codes = load_unit(p) ^ flip;
            if (bits == 8u) {
                odd = larger_codes(odd, codes);
            } else {
                even = larger_codes(even, codes << 4 & high);
                odd = larger_codes(odd, codes & high);
            }
            p += taps->next;
        }
        row += taps->next_row;
    }
    return (bits == 8u ? odd : even >> 4 | odd) ^ flip;
}

/* Puts the largest codes of whole units of `bytes` bytes there; returns of how many. */
static int32_t largest_codes(const pool_taps *taps, uint32_t format, int32_t bytes, uint8_t *to)
{
    const uint32_t of_bytes = UNIT_BYTES == 4 ? 0x01010101u : 1u;
    const uint32_t flip = format == QMCU_S8 ? of_bytes << 7 : format == QMCU_S4 ? of_bytes * 0x88u : 0u;
    const int32_t whole = bytes / UNIT_BYTES * UNIT_BYTES;
    for (int32_t i = 0; i < whole; i += UNIT_BYTES) {
        const uint32_t unit = qmcu_bits(format) == 8u ? largest_unit(8u, taps, taps->first + i, flip)
                                                      : largest_unit(4u, taps, taps->first + i, flip);
        memcpy(to + i, &unit, UNIT_BYTES);
    }
    return whole;
}
#endif

QMCU_KERNEL QMCU_SMALL void qmcu_max_pool(const qmcu_window *window, const qmcu_map *in, const qmcu_map *out)
{
    const int32_t bits = (int32_t)qmcu_bits(in->format);
    int16_t codes[QMCU_CHUNK];
    int16_t largest[QMCU_CHUNK];
    for (int32_t oy = 0; oy < out->h; oy++) {
        const int32_t y = oy * window->stride_h - window->pad_top;
        const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
        for (int32_t ox = 0; ox < out->w; ox++) {
            const int32_t x = ox * window->stride_w - window->pad_left;
            const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
            int32_t c = 0;
            if (bits >= 4 && in->format == out->format && ky.end > ky.first && kx.end > kx.first) {
                const int32_t bytes = out->channels * bits / 8;
                const uint8_t *first =
                    qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, 0);
#if QMCU_MVE
                const qmcu_mve_pixels pixels = {ky.end - ky.first, kx.end - kx.first,
                                                window->dilation_h * in->row_bytes,
                                                window->dilation_w * in->pixel_bytes};
                qmcu_mve_largest(first, &pixels, in->format, bytes, qmcu_at(out, oy, ox, 0));
                c = bytes * 8 / bits;
#else
                const pool_taps taps = {first, ky.end - ky.first, kx.end - kx.first, window->dilation_h * in->row_bytes,
                                        window->dilation_w * in->pixel_bytes};
                c = largest_codes(&taps, in->format, bytes, qmcu_at(out, oy, ox, 0)) * 8 / bits;
#endif
            }
            for (; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                for (int32_t i = 0; i < n; i++) {
                    largest[i] = INT16_MIN;
                }
                for (int32_t i = ky.first; i < ky.end; i++) {
                    for (int32_t j = kx.first; j < kx.end; j++) {
                        qmcu_unpack(qmcu_at(in, y + i * window->dilation_h, x + j * window->dilation_w, c), n,
                                    in->format, codes);
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

#if !QMCU_MVE
/*
 * Sums of channels c ... c + 3 at 8 bits over at most 256 taps. Bytes 0 and 2, and 1 and 3, are added two at a time in
 * the halves of a word; signed codes as unsigned ones that are 128 more. The order of the bytes in a word is the same
 * in `even` and `odd`.
 */
static void sum_four(const pool_taps *taps, uint32_t format, int32_t c, int32_t *sum)
{
    const uint32_t flip = format == QMCU_S8 ? 0x80808080u : 0u;
    const int32_t less = format == QMCU_S8 ? 128 * taps->rows * taps->columns : 0;
    const uint8_t *row = taps->first + c;
    uint32_t even = 0u;
    uint32_t odd = 0u;
    for (int32_t i = taps->rows; i > 0; i--) {
        const uint8_t *p = row;
        for (int32_t j = taps->columns; j > 0; j--) {
            const uint32_t word = load_bytes(p) ^ flip;
            even += word & 0x00ff00ffu;
            odd += word >> 8 & 0x00ff00ffu;
            p += taps->next;
        }
        row += taps->next_row;
    }
    const uint32_t one = 1u;
    uint8_t lowest_first;
    memcpy(&lowest_first, &one, 1u);
    sum[0] = (int32_t)(lowest_first ? even & 0xffffu : odd >> 16) - less;
    sum[1] = (int32_t)(lowest_first ? odd & 0xffffu : even >> 16) - less;
    sum[2] = (int32_t)(lowest_first ? even >> 16 : odd & 0xffffu) - less;
    sum[3] = (int32_t)(lowest_first ? odd >> 16 : even & 0xffffu) - less;
}

/* Sums of channels [0, n) over all taps. n <= QMCU_CHUNK. */
static QMCU_SMALL void sum_taps(const pool_taps *taps, uint32_t format, int32_t n, int32_t *sum)
{
    int16_t codes[QMCU_CHUNK];
    int32_t done = 0;
    if (format >= QMCU_U8 && taps->rows * taps->columns <= 256) {
        for (; done + 4 <= n; done += 4) {
            sum_four(taps, format, done, sum + done);
        }
    }
    for (int32_t k = done; k < n; k++) {
        sum[k] = 0;
    }
    if (done == n) {
        return;
    }
    for (int32_t i = 0; i < taps->rows; i++) {
        for (int32_t j = 0; j < taps->columns; j++) {
            qmcu_unpack(taps->first + i * taps->next_row + j * taps->next, n, format, codes);
            for (int32_t k = done; k < n; k++) {
                sum[k] += codes[k];
            }
        }
    }
}
#endif

QMCU_KERNEL QMCU_SMALL void qmcu_average_pool(const qmcu_average_pool_params *p, const qmcu_map *in,
                                              const qmcu_map *out)
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
                const uint8_t *first =
                    qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, c);
                const qmcu_mve_pixels pixels = {ky.end - ky.first, kx.end - kx.first,
                                                window->dilation_h * in->row_bytes,
                                                window->dilation_w * in->pixel_bytes};
                qmcu_mve_sum_pixels(first, &pixels, n, in->format, sum);
                qmcu_mve_average(p, p->per_channel ? c : entry, n, sum, codes);
#else
                const pool_taps taps = {
                    qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, c),
                    ky.end - ky.first, kx.end - kx.first, window->dilation_h * in->row_bytes,
                    window->dilation_w * in->pixel_bytes};
                sum_taps(&taps, in->format, n, sum);
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

QMCU_KERNEL QMCU_SMALL void qmcu_resize(const qmcu_resize_params *p, const qmcu_map *in, const qmcu_map *out)
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
