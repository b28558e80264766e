/*
 * QuantMCU runtime: columns of words for cores without DSP and vector instructions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_conv2d_plain_columns.h"

#if QMCU_PLAIN

QMCU_INLINE void put_code(int32_t *column, int32_t factor, int32_t code)
{
    *column = factor == 1 ? code : factor == -1 ? -code : *column + code * factor;
}

/* n codes from code i of byte p on. Inlined with a constant format, factor and step. */
QMCU_INLINE void put_codes(uint32_t format, int32_t factor, const uint8_t *p, uint32_t i, uint32_t n, int32_t *column,
                           uint32_t step)
{
    const uint32_t per_byte = 8u / qmcu_bits(format);
    for (; n > 0u && i % per_byte != 0u; n--) {
        put_code(column, factor, qmcu_code(p, i, format));
        column += step;
        i++;
    }
    p += i / per_byte;
    for (; per_byte == 1u && n >= 8u; n -= 8u) {
        put_code(column, factor, qmcu_code(p, 0u, format));
        put_code(column + step, factor, qmcu_code(p, 1u, format));
        put_code(column + 2u * step, factor, qmcu_code(p, 2u, format));
        put_code(column + 3u * step, factor, qmcu_code(p, 3u, format));
        put_code(column + 4u * step, factor, qmcu_code(p, 4u, format));
        put_code(column + 5u * step, factor, qmcu_code(p, 5u, format));
        put_code(column + 6u * step, factor, qmcu_code(p, 6u, format));
        put_code(column + 7u * step, factor, qmcu_code(p, 7u, format));
        column += 8u * step;
        p += 8;
    }
    for (; n >= 4u; n -= 4u) {
        put_code(column, factor, qmcu_code(p, 0u, format));
        column += step;
        put_code(column, factor, qmcu_code(p, 1u, format));
        column += step;
        put_code(column, factor, qmcu_code(p, 2u, format));
        column += step;
        put_code(column, factor, qmcu_code(p, 3u, format));
        column += step;
        p += 4u / per_byte;
    }
    for (i = 0u; i < n; i++) {
        put_code(column, factor, qmcu_code(p, i, format));
        column += step;
    }
}

typedef void put_function(int32_t factor, const uint8_t *p, uint32_t i, uint32_t n, int32_t *column, uint32_t step);

/* The columns of bytes are what convolutions spend their time on besides products: factors and steps are constants. */
#define PUT_BYTES(name, format)                                                                             \
    QMCU_KERNEL static void name(int32_t factor, const uint8_t *p, uint32_t i, uint32_t n, int32_t *column, \
                                 uint32_t step)                                                             \
    {                                                                                                       \
        if (factor == 65536) {                                                                              \
            put_codes(format, 65536, p, i, n, column, 2u);                                                  \
        } else if (step == PIXELS_4) {                                                                      \
            put_codes(format, 1, p, i, n, column, PIXELS_4);                                                \
        } else {                                                                                            \
            put_codes(format, 1, p, i, n, column, step);                                                    \
        }                                                                                                   \
    }

#define PUT(name, format)                                                                                   \
    QMCU_KERNEL static void name(int32_t factor, const uint8_t *p, uint32_t i, uint32_t n, int32_t *column, \
                                 uint32_t step)                                                             \
    {                                                                                                       \
        if (factor == 65536) {                                                                              \
            put_codes(format, 65536, p, i, n, column, 2u);                                                  \
        } else {                                                                                            \
            put_codes(format, 1, p, i, n, column, step);                                                    \
        }                                                                                                   \
    }

/* The step of 8-bit codes of four pixels with 8-bit weights. */
#if QMCU_PLAIN_LANES
#define PIXELS_4 2u
#else
#define PIXELS_4 4u
#endif

PUT(put_u2, QMCU_U2)
PUT(put_s2, QMCU_S2)
PUT(put_u4, QMCU_U4)
PUT(put_s4, QMCU_S4)
PUT_BYTES(put_u8, QMCU_U8)
PUT_BYTES(put_positive_s8, QMCU_S8)

QMCU_KERNEL static void put_s8(int32_t factor, const uint8_t *p, uint32_t i, uint32_t n, int32_t *column, uint32_t step)
{
#if QMCU_PLAIN_ARMV6M
    if (factor == -1) {
        put_codes(QMCU_S8, -1, p, i, n, column, 2u);
        return;
    }
    if (factor == -65536) {
        put_codes(QMCU_S8, -65536, p, i, n, column, 2u);
        return;
    }
#endif
    put_positive_s8(factor, p, i, n, column, step);
}

/* Indexed by the format's number: QMCU_U2, QMCU_S2, ... QMCU_S8. */
static put_function *const puts_of[6] = {put_u2, put_s2, put_u4, put_s4, put_u8, put_s8};

/* Puts n codes from code i of byte p on (NULL: padding, from channel i on) to place k of the column, as far as they
 * belong to the part. */
static void put(const qmcu_plain_columns *c, const qmcu_plain_part *t, const uint8_t *p, uint32_t i, uint32_t n,
                uint32_t k)
{
    if (k < t->from) {
        const uint32_t skip = n < t->from - k ? n : t->from - k;
        i += skip;
        k += skip;
        n -= skip;
    }
    if (k + n > t->to) {
        n = t->to > k ? t->to - k : 0u;
    }
    if (n == 0u) {
        return;
    }
    int32_t *column = t->column + (k - t->from) * t->step;
    if (p != NULL) {
        puts_of[c->in->format](t->factor, p, i, n, column, t->step);
        return;
    }
    const uint32_t channels = (uint32_t)c->in->channels;
    for (i %= channels; n > 0u; n--) {
        put_code(column, t->factor, c->pad_codes != NULL ? c->pad_codes[i] : 0);
        column += t->step;
        i = i + 1u == channels ? 0u : i + 1u;
    }
}

void qmcu_plain_gather(const qmcu_plain_columns *c, int32_t y, int32_t x, uint32_t g, const qmcu_plain_part *t)
{
    const qmcu_window *window = c->window;
    const uint32_t first_code = g * c->in_channels;
    const int32_t last_y = y + (window->kernel_h - 1) * window->dilation_h;
    const int32_t last_x = x + (window->kernel_w - 1) * window->dilation_w;
    uint32_t k = 0u;
    if (c->runs && y >= 0 && last_y < c->in->h && x >= 0 && last_x < c->in->w) {
        const uint32_t n = (uint32_t)window->kernel_w * c->in_channels;
        const uint8_t *p = qmcu_at(c->in, y, x, 0);
        for (int32_t i = window->kernel_h; i > 0; i--) {
            put(c, t, p, 0u, n, k);
            p += window->dilation_h * c->in->row_bytes;
            k += n;
        }
        return;
    }
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, c->in->h);
    const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, c->in->w);
    for (int32_t i = 0; i < window->kernel_h; i++) {
        const int inside = i >= ky.first && i < ky.end;
        for (int32_t j = 0; j < window->kernel_w;) {
            const uint8_t *p = NULL;
            int32_t taps = 1;
            if (inside && j >= kx.first && j < kx.end) {
                p = qmcu_at(c->in, y + i * window->dilation_h, x + j * window->dilation_w, 0);
                taps = c->dense ? kx.end - j : 1;
            }
            const uint32_t n = (uint32_t)taps * c->in_channels;
            put(c, t, p, first_code, n, k);
            k += n;
            j += taps;
        }
    }
}

#endif /* QMCU_PLAIN */
