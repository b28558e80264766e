/*
 * QuantMCU runtime: columns of windows whose rows have an odd number of 8-bit codes, as those over images of three
 * channels have, with the DSP extension. The rows of a window are put together in bytes first, so that they expand as
 * one run.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_gather.h"

#if QMCU_DSP

/* Bytes of two adjacent pixels. */
#define ODD_BYTES (QMCU_GATHER_ODD_CODES + 4u)

QMCU_INLINE void copy_word(uint8_t *to, const uint8_t *a, const uint8_t *b, uint32_t k)
{
    qmcu_store_unaligned(to + k, qmcu_load_unaligned(a + k));
    qmcu_store_unaligned(to + ODD_BYTES + k, qmcu_load_unaligned(b + k));
}

/* Rows are put together by words, whose surplus the next row overwrites. */
QMCU_SMALL void qmcu_gather_odd(const qmcu_gathering *g, const uint8_t *const *from, int16_t *columns)
{
    QMCU_ALIGN(4) uint8_t bytes[2u * ODD_BYTES];
    const uint32_t n = g->row_codes;
    const int32_t next = g->params->window.dilation_h * g->in->row_bytes;
    for (uint32_t p = 0u; p < 4u; p += 2u) {
        const uint8_t *a = from[p];
        const uint8_t *b = from[p + 1u];
        uint32_t at = 0u;
        for (int32_t rows = g->params->window.kernel_h; rows > 0; rows--) {
            uint8_t *to = bytes + at;
            if (n > 8u && n <= 12u) {
                /* Three columns of three or four channels, most often: without a loop. */
                copy_word(to, a, b, 0u);
                copy_word(to, a, b, 4u);
                copy_word(to, a, b, 8u);
            } else {
                for (uint32_t k = 0u; k < n; k += 4u) {
                    copy_word(to, a, b, k);
                }
            }
            a += next;
            b += next;
            at += n;
        }
        /* A last word of three codes whole: the caller makes the place after them zero. */
        qmcu_expand_two(bytes, bytes + ODD_BYTES, g->in->format, g->length % 4u == 3u ? g->length + 1u : g->length,
                        columns + 2u * p);
    }
}

/* The window that begins at row y and column x of the input, its rows put together, with zeros where it lies outside.
 */
static QMCU_SMALL void copy_clipped(const qmcu_gathering *g, int32_t y, int32_t x, uint8_t *to)
{
    const qmcu_window *window = &g->params->window;
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, g->in->h);
    const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, 1, g->in->w);
    const int32_t n = (kx.end - kx.first) * g->in->channels;
    for (uint32_t k = 0u; k < g->length; k += 4u) {
        qmcu_store_unaligned(to + k, 0u);
    }
    to += ky.first * (int32_t)g->row_codes + kx.first * g->in->channels;
    for (int32_t i = ky.first; i < ky.end && n > 0; i++) {
        const uint8_t *from = qmcu_at(g->in, y + i * window->dilation_h, x + kx.first, 0);
        for (int32_t k = 0; k < n; k++) {
            to[k] = from[k];
            QMCU_OPAQUE(to); /* not memcpy(), for a few bytes */
        }
        to += g->row_codes;
    }
}

QMCU_SMALL void qmcu_gather_odd_clipped(const qmcu_gathering *g, int32_t i, int16_t *columns)
{
    QMCU_ALIGN(4) uint8_t bytes[2u * ODD_BYTES];
    const qmcu_window *window = &g->params->window;
    for (uint32_t p = 0u; p < 4u; p++) {
        const int32_t y = i / g->out->w * window->stride_h - window->pad_top;
        const int32_t x = i % g->out->w * window->stride_w - window->pad_left;
        copy_clipped(g, y, x, bytes + p % 2u * ODD_BYTES);
        if (p % 2u != 0u) {
            qmcu_expand_two(bytes, bytes + ODD_BYTES, g->in->format, g->length % 4u == 3u ? g->length + 1u : g->length,
                            columns + 2u * (p - 1u));
        }
        i++;
    }
}

#endif /* QMCU_DSP */
