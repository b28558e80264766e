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
            put_codes(format, 65536, p, i, n, column, step);                                                \
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
            put_codes(format, 65536, p, i, n, column, step);                                                \
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

/* Codes of two pixels in the halves of a word, as whole numbers: signed ones from the bits of `bits` bits each. */
QMCU_INLINE int32_t two_codes(uint32_t format, uint32_t both)
{
    const uint32_t sign = format % 2u != 0u ? 0x00010001u << (qmcu_bits(format) - 1u) : 0u;
    return (int32_t)((both ^ sign) - sign);
}

/* n codes of p and of q, from their first bytes on, to every fourth word. Inlined with a constant format. */
QMCU_INLINE void put_two(uint32_t format, const uint8_t *p, const uint8_t *q, uint32_t n, int32_t *column)
{
    const uint32_t bits = qmcu_bits(format);
    const uint32_t per_byte = 8u / bits;
    const uint32_t mask = 0x00010001u * ((1u << bits) - 1u);
    for (; n >= 4u; n -= 4u) {
        for (uint32_t i = 0u; i < 4u; i += per_byte) {
            const uint32_t both = (uint32_t)*p++ | (uint32_t)*q++ << 16;
            for (uint32_t j = 0u; j < per_byte; j++) {
                *column = two_codes(format, bits == 8u ? both : both >> (j * bits) & mask);
                column += 4;
            }
        }
    }
    for (uint32_t i = 0u; i < n; i++) {
        *column = qmcu_code(p, i, format) + 65536 * qmcu_code(q, i, format);
        column += 4;
    }
}

typedef void put_two_function(const uint8_t *p, const uint8_t *q, uint32_t n, int32_t *column);

#define PUT_TWO(name, format)                                                                     \
    QMCU_KERNEL static void name(const uint8_t *p, const uint8_t *q, uint32_t n, int32_t *column) \
    {                                                                                             \
        put_two(format, p, q, n, column);                                                         \
    }

PUT_TWO(put_two_u2, QMCU_U2)
PUT_TWO(put_two_s2, QMCU_S2)
PUT_TWO(put_two_u4, QMCU_U4)
PUT_TWO(put_two_s4, QMCU_S4)
PUT_TWO(put_two_u8, QMCU_U8)
PUT_TWO(put_two_s8, QMCU_S8)

/* Indexed by the format's number. */
static put_two_function *const puts_two_of[6] = {put_two_u2, put_two_s2, put_two_u4,
                                                 put_two_s4, put_two_u8, put_two_s8};

/* Whether all of the window that begins at (y, x) lies inside of the input. */
QMCU_INLINE int inside(const qmcu_plain_columns *c, int32_t y, int32_t x)
{
    const qmcu_window *window = c->window;
    return y >= 0 && y + (window->kernel_h - 1) * window->dilation_h < c->in->h && x >= 0 &&
           x + (window->kernel_w - 1) * window->dilation_w < c->in->w;
}

void qmcu_plain_gather_two(const qmcu_plain_columns *c, const int32_t *y, const int32_t *x, uint32_t g,
                           const qmcu_plain_part *t)
{
    const uint32_t n = (uint32_t)c->window->kernel_w * c->in_channels;
    const uint32_t rows = (uint32_t)c->window->kernel_h;
    const uint32_t bits = qmcu_bits(c->in->format);
    /* Parts begin at multiples of 4: where the window's rows do, too, or a whole row is taken, they begin on bytes. */
    const int on_bytes = bits == 8u || n % 4u == 0u || rows == 1u || (t->from == 0u && t->to == rows * n);
    if (!c->runs || !on_bytes || !inside(c, y[0], x[0]) || !inside(c, y[1], x[1])) {
        qmcu_plain_part second = *t;
        qmcu_plain_gather(c, y[0], x[0], g, t);
        second.factor = 65536;
        qmcu_plain_gather(c, y[1], x[1], g, &second);
        return;
    }
    int32_t *column = t->column;
    const int32_t down = c->window->dilation_h * c->in->row_bytes;
    const uint8_t *p = qmcu_at(c->in, y[0], x[0], 0);
    const uint8_t *q = qmcu_at(c->in, y[1], x[1], 0);
    for (uint32_t k = 0u; k < t->to; k += n) {
        if (k + n > t->from) {
            const uint32_t from = t->from > k ? t->from - k : 0u;
            const uint32_t codes = (t->to - k < n ? t->to - k : n) - from;
            puts_two_of[c->in->format](p + from * bits / 8u, q + from * bits / 8u, codes, column);
            column += 4u * codes;
        }
        p += down;
        q += down;
    }
}

#endif /* QMCU_PLAIN */
