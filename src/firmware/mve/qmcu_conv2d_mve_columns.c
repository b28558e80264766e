/*
 * QuantMCU runtime: columns of bytes for the vector extension Helium.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_conv2d_mve_columns.h"

#if QMCU_MVE

/* n codes of padding from channel i on. */
static void put_padding(const qmcu_mve_columns *c, uint32_t i, uint32_t n, uint8_t *to)
{
    const uint32_t channels = (uint32_t)c->in->channels;
    for (i %= channels; n > 0u; n--) {
        *to++ = c->pad_codes != NULL ? (uint8_t)c->pad_codes[i] : (uint8_t)0;
        i = i + 1u == channels ? 0u : i + 1u;
    }
}

/* n codes from code i of byte p on, as bytes. Inlined with a constant format. */
QMCU_INLINE void copy(const uint8_t *p, uint32_t format, uint32_t i, uint32_t n, uint8_t *to)
{
    for (int32_t left = (int32_t)n; left > 0; left -= 16) {
        const mve_pred16_t active = vctp8q((uint32_t)left);
        vstrbq_p_u8(to, qmcu_mve_codes(p, format, i, active), active);
        i += 16u;
        to += 16;
    }
}

/* Puts n codes from code i of byte p on (NULL: padding, from channel i on) to place k of the column, as far as they
 * belong to the part. */
static void put(const qmcu_mve_columns *c, const qmcu_mve_part *t, const uint8_t *p, uint32_t i, uint32_t n, uint32_t k)
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
    uint8_t *to = t->column + (k - t->from);
    if (p == NULL) {
        put_padding(c, i, n, to);
        return;
    }
    switch (c->in->format) {
    case QMCU_U8:
    case QMCU_S8:
        copy(p, QMCU_U8, i, n, to);
        break;
    case QMCU_U4:
        copy(p, QMCU_U4, i, n, to);
        break;
    case QMCU_S4:
        copy(p, QMCU_S4, i, n, to);
        break;
    case QMCU_U2:
        copy(p, QMCU_U2, i, n, to);
        break;
    default:
        copy(p, QMCU_S2, i, n, to);
        break;
    }
}

/* The second and third of each whole four change places, as 4-bit weights have them. */
static void exchange(uint8_t *codes, uint32_t n)
{
    const uint8x16_t places = vidupq_n_u8(0u, 1);
    const uint8x16_t second = vandq_u8(vshlq_n_u8(places, 1), vdupq_n_u8(2u));
    const uint8x16_t third = vandq_u8(vshrq_n_u8(places, 1), vdupq_n_u8(1u));
    const uint8x16_t order = vorrq_u8(vandq_u8(places, vdupq_n_u8(12u)), vorrq_u8(second, third));
    for (int32_t left = (int32_t)(n & ~3u); left > 0; left -= 16) {
        const mve_pred16_t active = vctp8q((uint32_t)left);
        vstrbq_p_u8(codes, vldrbq_gather_offset_z_u8(codes, order, active), active);
        codes += 16;
    }
}

QMCU_INLINE void end_column(const qmcu_mve_columns *c, const qmcu_mve_part *t)
{
    vstrbq_u8(t->column + (t->to - t->from), vdupq_n_u8(0u));
    if (c->weight_bits == 4u) {
        exchange(t->column, t->to - t->from);
    }
}

/*
 * Runs of bytes, or of U4 that begin on a byte: a lane of 16 bits takes two codes apart. Compilers move predicates
 * between registers for each vector.
 */
static void copy_rows_u8(const uint8_t *p, int32_t next_row, int32_t rows, uint32_t n, uint8_t *to)
{
    for (; rows > 0; rows--) {
#if defined(__GNUC__) || defined(__clang__)
        const uint8_t *from = p;
        uint8_t *end = to;
        __asm__ volatile("dlstp.8 lr, %[n]\n"
                         "1:\n\t"
                         "vldrb.8 q0, [%[from]], #16\n\t"
                         "vstrb.8 q0, [%[end]], #16\n\t"
                         "letp lr, 1b"
                         : [from] "+l"(from), [end] "+l"(end)
                         : [n] "r"(n)
                         : "lr", "q0", "memory");
#else
        copy(p, QMCU_U8, 0u, n, to);
#endif
        p += next_row;
        to += n;
    }
}

static void copy_rows_u4(const uint8_t *p, int32_t next_row, int32_t rows, uint32_t n, uint8_t *to)
{
    for (; rows > 0; rows--) {
#if defined(__GNUC__) || defined(__clang__)
        const uint8_t *from = p;
        uint8_t *end = to;
        __asm__ volatile("vmov.i8 q1, #15\n\t"
                         "dlstp.16 lr, %[n]\n"
                         "1:\n\t"
                         "vldrb.u16 q0, [%[from]], #8\n\t"
                         "vsli.16 q0, q0, #4\n\t"
                         "vand q0, q0, q1\n\t"
                         "vstrb.8 q0, [%[end]], #16\n\t"
                         "letp lr, 1b"
                         : [from] "+l"(from), [end] "+l"(end)
                         : [n] "r"((n + 1u) / 2u)
                         : "lr", "q0", "q1", "memory");
#else
        copy(p, QMCU_U4, 0u, n, to);
#endif
        p += next_row;
        to += n;
    }
}

/* `rows` runs of n codes. Each is stored in whole vectors: what lies after it is written later, or has room. */
QMCU_INLINE void copy_rows(const uint8_t *p, int32_t next_row, uint32_t format, int32_t rows, uint32_t n, uint8_t *to)
{
    for (; rows > 0; rows--) {
        uint32_t i = 0u;
        for (int32_t left = (int32_t)n; left > 0; left -= 16) {
            vstrbq_u8(to + i, qmcu_mve_codes(p, format, i, vctp8q((uint32_t)left)));
            i += 16u;
        }
        p += next_row;
        to += n;
    }
}

/* A column of which the whole window lies in the input, its rows being runs of codes. */
static void gather_rows(const qmcu_mve_columns *c, int32_t y, int32_t x, uint8_t *to)
{
    const qmcu_map *in = c->in;
    const uint8_t *p = qmcu_at(in, y, x, 0);
    const int32_t next = c->window->dilation_h * in->row_bytes;
    const int32_t rows = c->window->kernel_h;
    const uint32_t n = (uint32_t)c->window->kernel_w * c->in_channels;
    switch (in->format) {
    case QMCU_U8:
    case QMCU_S8:
        copy_rows_u8(p, next, rows, n, to);
        break;
    case QMCU_U4:
        copy_rows_u4(p, next, rows, n, to);
        break;
    case QMCU_S4:
        copy_rows(p, next, QMCU_S4, rows, n, to);
        break;
    case QMCU_U2:
        copy_rows(p, next, QMCU_U2, rows, n, to);
        break;
    default:
        copy_rows(p, next, QMCU_S2, rows, n, to);
        break;
    }
}

/* The window's rows that begin at (y, x) of the input, channels of group g. */
void qmcu_mve_gather(const qmcu_mve_columns *c, int32_t y, int32_t x, uint32_t g, const qmcu_mve_part *t)
{
    const qmcu_window *window = c->window;
    const uint32_t first_code = g * c->in_channels;
    const int32_t last_y = y + (window->kernel_h - 1) * window->dilation_h;
    const int32_t last_x = x + (window->kernel_w - 1) * window->dilation_w;
    if (c->runs && y >= 0 && last_y < c->in->h && x >= 0 && last_x < c->in->w) {
        gather_rows(c, y, x, t->column);
        end_column(c, t);
        return;
    }
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, c->in->h);
    const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, c->in->w);
    uint32_t k = 0u;
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
    end_column(c, t);
}

#endif /* QMCU_MVE */
