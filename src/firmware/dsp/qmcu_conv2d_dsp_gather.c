/*
 * QuantMCU runtime: the codes under the gather_windows of four output pixels as columns of 16-bit numbers, with the DSP
 * extension.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_gather.h"

#include "qmcu_conv2d_dsp_any.h"
#include "qmcu_conv2d_dsp_columns.h"

#if QMCU_DSP

/* Two words of codes of one pixel and of the next, `offset` bytes after the column and `second` after that. */
QMCU_INLINE void store_pairs(int16_t *column, uint32_t offset, uint32_t second, uint32_t even_p, uint32_t odd_p,
                             uint32_t even_q, uint32_t odd_q)
{
    qmcu_store_two(column, offset, qmcu_pkh_low(even_p, odd_p), qmcu_pkh_low(even_q, odd_q));
    qmcu_store_two(column, offset + second, qmcu_pkh_high(even_p, odd_p), qmcu_pkh_high(even_q, odd_q));
}

/* A word of 8-bit codes of two pixels. */
QMCU_INLINE void expand_word8(int is_signed, uint32_t a, uint32_t b, int16_t *column, uint32_t offset)
{
    if (is_signed) {
        store_pairs(column, offset, 16u, qmcu_sxtb16(a), qmcu_sxtb16_ror8(a), qmcu_sxtb16(b), qmcu_sxtb16_ror8(b));
    } else {
        store_pairs(column, offset, 16u, qmcu_uxtb16(a), qmcu_uxtb16_ror8(a), qmcu_uxtb16(b), qmcu_uxtb16_ror8(b));
    }
}

/* Whole words of 8-bit codes of two pixels. */
QMCU_INLINE void expand_words8(int is_signed, const uint8_t *p, const uint8_t *q, uint32_t words, int16_t *column)
{
    for (; words >= 2u; words -= 2u) {
        expand_word8(is_signed, qmcu_load_unaligned(p), qmcu_load_unaligned(q), column, 0u);
        expand_word8(is_signed, qmcu_load_unaligned(p + 4), qmcu_load_unaligned(q + 4), column, 32u);
        p += 8;
        q += 8;
        column += 32;
    }
    if (words > 0u) {
        expand_word8(is_signed, qmcu_load_unaligned(p), qmcu_load_unaligned(q), column, 0u);
    }
}

/* Four nibbles in the lower halves of their bytes, as numbers in bytes. */
QMCU_INLINE uint32_t nibbles(int is_signed, uint32_t word)
{
    const uint32_t codes = word & 0x0f0f0f0fu;
    return is_signed ? qmcu_ssub8(codes ^ 0x08080808u, 0x08080808u) : codes;
}

/* Whole words of 4-bit codes of two pixels. */
QMCU_INLINE void expand_words4(int is_signed, const uint8_t *p, const uint8_t *q, uint32_t words, int16_t *column)
{
    for (; words > 0u; words--) {
        const uint32_t a = qmcu_load_unaligned(p);
        const uint32_t b = qmcu_load_unaligned(q);
        const uint32_t even_a = nibbles(is_signed, a);
        const uint32_t odd_a = nibbles(is_signed, a >> 4);
        const uint32_t even_b = nibbles(is_signed, b);
        const uint32_t odd_b = nibbles(is_signed, b >> 4);
        if (is_signed) {
            store_pairs(column, 0u, 32u, qmcu_sxtb16(even_a), qmcu_sxtb16(odd_a), qmcu_sxtb16(even_b),
                        qmcu_sxtb16(odd_b));
            store_pairs(column, 16u, 32u, qmcu_sxtb16_ror8(even_a), qmcu_sxtb16_ror8(odd_a), qmcu_sxtb16_ror8(even_b),
                        qmcu_sxtb16_ror8(odd_b));
        } else {
            store_pairs(column, 0u, 32u, qmcu_uxtb16(even_a), qmcu_uxtb16(odd_a), qmcu_uxtb16(even_b),
                        qmcu_uxtb16(odd_b));
            store_pairs(column, 16u, 32u, qmcu_uxtb16_ror8(even_a), qmcu_uxtb16_ror8(odd_a), qmcu_uxtb16_ror8(even_b),
                        qmcu_uxtb16_ror8(odd_b));
        }
        p += 4;
        q += 4;
        column += 32;
    }
}

/* Four codes of 2 bits in the lowest bits of their bytes, as numbers in bytes. */
QMCU_INLINE uint32_t quarters(int is_signed, uint32_t word)
{
    const uint32_t codes = word & 0x03030303u;
    return is_signed ? qmcu_ssub8(codes ^ 0x02020202u, 0x02020202u) : codes;
}

/* Codes 2n and 2n + 1 of each byte of two pixels. */
QMCU_INLINE void expand_bytes2(int is_signed, uint32_t p, uint32_t q, int16_t *column, uint32_t offset)
{
    const uint32_t even_p = quarters(is_signed, p);
    const uint32_t odd_p = quarters(is_signed, p >> 2);
    const uint32_t even_q = quarters(is_signed, q);
    const uint32_t odd_q = quarters(is_signed, q >> 2);
    if (is_signed) {
        store_pairs(column, offset, 64u, qmcu_sxtb16(even_p), qmcu_sxtb16(odd_p), qmcu_sxtb16(even_q),
                    qmcu_sxtb16(odd_q));
        store_pairs(column, offset + 32u, 64u, qmcu_sxtb16_ror8(even_p), qmcu_sxtb16_ror8(odd_p),
                    qmcu_sxtb16_ror8(even_q), qmcu_sxtb16_ror8(odd_q));
    } else {
        store_pairs(column, offset, 64u, qmcu_uxtb16(even_p), qmcu_uxtb16(odd_p), qmcu_uxtb16(even_q),
                    qmcu_uxtb16(odd_q));
        store_pairs(column, offset + 32u, 64u, qmcu_uxtb16_ror8(even_p), qmcu_uxtb16_ror8(odd_p),
                    qmcu_uxtb16_ror8(even_q), qmcu_uxtb16_ror8(odd_q));
    }
}

/* Whole words of 2-bit codes of two pixels. */
QMCU_INLINE void expand_words2(int is_signed, const uint8_t *p, const uint8_t *q, uint32_t words, int16_t *column)
{
    for (; words > 0u; words--) {
        const uint32_t a = qmcu_load_unaligned(p);
        const uint32_t b = qmcu_load_unaligned(q);
        expand_bytes2(is_signed, a, b, column, 0u);
        expand_bytes2(is_signed, a >> 4, b >> 4, column, 16u);
        p += 4;
        q += 4;
        column += 64;
    }
}

void qmcu_expand_two(const uint8_t *p, const uint8_t *q, uint32_t format, uint32_t n, int16_t *column)
{
    const uint32_t per_word = 32u / qmcu_bits(format);
    const uint32_t words = n / per_word;
    QMCU_ASSUME_FORMAT(QMCU_CONV2D_INPUTS, format);
    switch (format) {
    case QMCU_U8:
        expand_words8(0, p, q, words, column);
        break;
    case QMCU_S8:
        expand_words8(1, p, q, words, column);
        break;
    case QMCU_U4:
        expand_words4(0, p, q, words, column);
        break;
    case QMCU_S4:
        expand_words4(1, p, q, words, column);
        break;
    case QMCU_U2:
        expand_words2(0, p, q, words, column);
        break;
    default:
        expand_words2(1, p, q, words, column);
        break;
    }
    for (uint32_t k = words * per_word; k < n; k++) {
        int16_t *to = column + k / 2u * 8u + k % 2u;
        to[0] = (int16_t)qmcu_code(p, k, format);
        to[2] = (int16_t)qmcu_code(q, k, format);
    }
}

/* Where the gather_windows of four output pixels begin. */
typedef struct {
    const uint8_t *at[4];
    int inside; /* all of them: otherwise there are no addresses */
} gather_windows;

static QMCU_SMALL void find_windows(const qmcu_gathering *g, int32_t oy, int32_t ox, gather_windows *w)
{
    const qmcu_window *window = &g->params->window;
    const qmcu_map *in = g->in;
    const int32_t last_y = in->h - 1 - (window->kernel_h - 1) * window->dilation_h;
    const int32_t last_x = in->w - 1 - (window->kernel_w - 1) * window->dilation_w;
    int32_t y = oy * window->stride_h - window->pad_top;
    int32_t x = ox * window->stride_w - window->pad_left;
    w->inside = y >= 0 && y <= last_y && x >= 0 && x + 3 * window->stride_w <= last_x && ox + 4 <= g->out->w;
    if (w->inside) {
        const int32_t next = window->stride_w * in->pixel_bytes;
        const uint8_t *at = qmcu_at(in, y, x, 0);
        w->at[0] = at;
        w->at[1] = at + next;
        w->at[2] = at + 2 * next;
        w->at[3] = at + 3 * next;
        return;
    }
    w->inside = 1;
    for (uint32_t p = 0u; p < 4u; p++) {
        w->inside &= y >= 0 && x >= 0 && y <= last_y && x <= last_x;
        w->at[p] = w->inside ? qmcu_at(in, y, x, 0) : in->data;
        ox++;
        x += window->stride_w;
        if (ox == g->out->w) {
            ox = 0;
            x = -window->pad_left;
            y += window->stride_h;
        }
    }
}

QMCU_SMALL int qmcu_find_pixels(const qmcu_gathering *g, int32_t oy, int32_t ox, uint32_t from, const uint8_t *at[4])
{
    gather_windows w;
    find_windows(g, oy, ox, &w);
    for (uint32_t p = 0u; p < 4u; p++) {
        at[p] = w.at[p] + from * qmcu_bits(g->in->format) / 8u;
    }
    return w.inside;
}

QMCU_SMALL void qmcu_convolve_gather(const qmcu_gathering *g, int32_t oy, int32_t ox, uint32_t from, uint32_t to,
                                     int16_t *columns)
{
    const qmcu_window *window = &g->params->window;
    const qmcu_map *in = g->in;
    const uint32_t n = g->row_codes;
    gather_windows w;
    find_windows(g, oy, ox, &w);
    if (w.inside && window->kernel_h == 1 && window->kernel_w == 1) {
        const uint32_t skip = from * qmcu_bits(in->format) / 8u;
        qmcu_expand_two(w.at[0] + skip, w.at[1] + skip, in->format, to - from, columns);
        qmcu_expand_two(w.at[2] + skip, w.at[3] + skip, in->format, to - from, columns + 4);
    } else if (w.inside && g->odd &&
               w.at[3] + (window->kernel_h - 1) * window->dilation_h * in->row_bytes + n + 3u <= g->in_end) {
        qmcu_gather_odd(g, w.at, columns);
    } else if (!w.inside && g->odd && g->params->pad_codes == NULL) {
        qmcu_gather_odd_clipped(g, oy * g->out->w + ox, columns);
    } else if (w.inside && g->even) {
        const uint32_t per_byte = 8u / qmcu_bits(in->format);
        for (uint32_t k = 0u; k < to; k += n) {
            const uint32_t first = k > from ? k : from;
            const uint32_t end = k + n < to ? k + n : to;
            if (first < end) {
                const uint32_t skip = (first - k) / per_byte;
                int16_t *column = columns + 4u * (first - from);
                qmcu_expand_two(w.at[0] + skip, w.at[1] + skip, in->format, end - first, column);
                qmcu_expand_two(w.at[2] + skip, w.at[3] + skip, in->format, end - first, column + 4);
            }
            for (uint32_t p = 0u; p < 4u; p++) {
                w.at[p] += window->dilation_h * in->row_bytes;
            }
        }
    } else {
        for (uint32_t p = 0u; p < 4u; p++) {
            const int32_t i = oy * g->out->w + ox + (int32_t)p;
            const int32_t y = i / g->out->w * window->stride_h - window->pad_top;
            const int32_t x = i % g->out->w * window->stride_w - window->pad_left;
            qmcu_window_column(g->params, in, y, x, from, to, columns + 2u * p);
        }
    }
    if ((to - from) % 2u != 0u) {
        int16_t *last = columns + 4u * (to - from - 1u) + 1;
        last[0] = 0;
        last[2] = 0;
        last[4] = 0;
        last[6] = 0;
    }
}

QMCU_SMALL qmcu_gathering qmcu_gathering_of(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out,
                                            uint32_t length, int parts)
{
    qmcu_gathering g;
    g.params = params;
    g.in = in;
    g.out = out;
    g.length = length;
    g.row_codes = (uint32_t)(params->window.kernel_w * in->channels);
    const int runs = params->window.kernel_w == 1 || (params->window.dilation_w == 1 && qmcu_is_dense(in));
    g.even = runs && (params->window.kernel_h == 1 || g.row_codes % 2u == 0u);
    g.odd = runs && !g.even && in->format >= QMCU_U8 && length <= QMCU_GATHER_ODD_CODES && !parts;
    g.in_end = qmcu_at(in, in->h - 1, in->w, 0);
    return g;
}

int qmcu_are_apart(const qmcu_map *a, const qmcu_map *b)
{
    const uint8_t *a_end = qmcu_at(a, a->h - 1, a->w, 0);
    const uint8_t *b_end = qmcu_at(b, b->h - 1, b->w, 0);
    return a_end <= b->data || b_end <= a->data;
}

#endif /* QMCU_DSP */
