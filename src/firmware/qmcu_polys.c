/*
 * QuantMCU runtime: depthwise convolutions of 4-bit codes by polynomials, see qmcu_poly.h.
 *
 * Two channels at a time, which share the bytes of pixels, are taken out of the rows under the windows; then a function computes the outputs
 * of each. A row that is not needed any more gives its place to the next one, as in qmcu_rows.c.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_polys.h"

#include "qmcu_rows.h"

#if QMCU_DSP

#define KERNEL 3u

/* Words on the stack, and of three columns of both channels. */
#define WORDS (QMCU_COLUMN_BYTES / 4u)
#define THREE (2u * KERNEL)

/* Three codes of a channel where the bytes of pixels stand 12 bits apart, and what makes signed codes unsigned. */
#define CODES 0x0f00f00fu
#define SIGNS 0x08008008u

/* What every pair of channels of a call needs. */
typedef struct {
    const qmcu_depthwise2d_params *params;
    const qmcu_map *in;
    const qmcu_map *out;
    uint32_t threes;  /* groups of three columns under the windows of a row */
    int32_t whole;    /* the first of them that lies inside the input, and after the last */
    int32_t whole_end;
    int32_t first;    /* column where the input's column x begins */
    int32_t end;      /* column after its last one */
    int32_t x;
    int is_signed;    /* the codes */
} depthwise;

/* The byte of column `column`, 0 outside of the input; p is the input's column x. */
QMCU_INLINE uint32_t load_one(const depthwise *d, const uint8_t *p, int32_t column)
{
    return column >= d->first && column < d->end ? p[(column - d->first) * d->in->pixel_bytes] : 0u;
}

/* Three columns from column `column` on, some of which lie outside of the input. */
QMCU_INLINE uint32_t load_clipped(const depthwise *d, const uint8_t *p, int32_t column)
{
    return load_one(d, p, column) | load_one(d, p, column + 1) << QMCU_POLY_BITS | load_one(d, p, column + 2) << (2u * QMCU_POLY_BITS);
}

QMCU_INLINE void put(uint32_t word, int is_signed, uint32_t *to)
{
    const uint32_t flip = is_signed ? SIGNS : 0u;
    to[0] = (word & CODES) ^ flip;
    to[KERNEL] = (word >> 4 & CODES) ^ flip;
}

/* Row y of the input, which may be outside, channels c and c + 1, to a place whose first word is at `to`. Inlined with a constant sign. */
QMCU_INLINE void put_row_of(int is_signed, const depthwise *d, int32_t c, int32_t y, uint32_t *to)
{
    if (y < 0 || y >= d->in->h) {
        for (uint32_t i = 0u; i < d->threes; i++) {
            put(0u, is_signed, to);
            to += THREE;
        }
        return;
    }
    const uint8_t *row = qmcu_at(d->in, y, d->x, c);
    const int32_t next = d->in->pixel_bytes;
    for (int32_t i = 0; i < d->whole; i++) {
        put(load_clipped(d, row, 3 * i), is_signed, to);
        to += THREE;
    }
    const uint8_t *p = row + (3 * d->whole - d->first) * next;
    for (int32_t i = d->whole_end - d->whole; i > 0; i--) {
        put(p[0] | (uint32_t)p[next] << QMCU_POLY_BITS | (uint32_t)p[2 * next] << (2u * QMCU_POLY_BITS), is_signed, to);
        p += 3 * next;
        to += THREE;
    }
    for (int32_t i = d->whole_end; i < (int32_t)d->threes; i++) {
        put(load_clipped(d, row, 3 * i), is_signed, to);
        to += THREE;
    }
}

static void put_row(const depthwise *d, int32_t c, int32_t y, uint32_t place, uint32_t *words)
{
    if (d->is_signed) {
        put_row_of(1, d, c, y, words + place);
    } else {
        put_row_of(0, d, c, y, words + place);
    }
}

/* The weights and scales of channels c and c + 1. */
static void prepare(const depthwise *d, const qmcu_row_shape *shape, int32_t c, qmcu_poly_weights *k)
{
    const qmcu_requant *r = &d->params->requant;
    const uint32_t bits = d->params->weight_bits;
    const uint32_t row_bytes = qmcu_weight_row_bytes((uint32_t)d->in->channels, bits);
    for (int32_t i = 0; i < 2; i++) {
        const uint8_t *w = d->params->weights;
        int32_t sum = 0;
        for (uint32_t row = 0u; row < KERNEL; row++) {
            int32_t word = 0;
            for (uint32_t column = 0u; column < KERNEL; column++) {
                const int32_t weight = qmcu_weight(w, (uint32_t)(c + i), bits);
                word += qmcu_shift_left(weight, QMCU_POLY_BITS * (KERNEL - 1u - column));
                sum += weight;
                w += row_bytes;
            }
            k[i].rows[row] = (uint32_t)word;
        }
        k[i].rows[3] = k[i].rows[0];
        k[i].rows[4] = k[i].rows[1];
        /* Modulo 2^32, as the sums that it is added to: only what they add up to stays in range. */
        k[i].bias = (int32_t)((uint32_t)qmcu_bias(r, c + i) - (uint32_t)(QMCU_POLY_HALF + (d->is_signed ? 8 * sum : 0)));
        k[i].multiplier = r->multiplier[c + i];
        k[i].max = shape->bounded == 0u ? 255u : (uint32_t)(r->max_table != NULL ? r->max_table[c + i] : r->max);
    }
}

/* Output rows [from, to) of channels c and c + 1. */
static void convolve_pair(const depthwise *d, const qmcu_row_shape *shape, qmcu_poly_function *function, int32_t c, int32_t from, int32_t to, uint32_t *words)
{
    qmcu_poly_weights weights[2];
    qmcu_poly_row row = { shape, weights, 0u, words, d->out->w, qmcu_at(d->out, from, 0, c) };
    int32_t y = from - d->params->window.pad_top; /* of the next row to put */
    uint32_t place = 0u;                          /* where it goes, and the first row under the windows is */
    prepare(d, shape, c, weights);
    for (uint32_t i = 0u; i < KERNEL; i++) {
        put_row(d, c, y, i, words);
        y++;
    }
    for (int32_t oy = from; oy < to; oy++) {
        row.turn = place == 0u ? 0u : KERNEL - place;
        function(&row);
        row.to += d->out->row_bytes;
        if (oy + 1 < to) {
            put_row(d, c, y, place, words);
            y++;
            place = place + 1u == KERNEL ? 0u : place + 1u;
        }
    }
}

int qmcu_depthwise_by_polynomials(const qmcu_row_shape *shape, qmcu_poly_function *function, const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    QMCU_ALIGN(8) uint32_t words[WORDS];
    const int32_t pad = params->window.pad_left;
    depthwise d;
    d.params = params;
    d.in = in;
    d.out = out;
    d.threes = ((uint32_t)out->w + KERNEL - 1u + 2u) / 3u;
    if (THREE * d.threes > WORDS) {
        return 0;
    }
    d.first = pad > 0 ? pad : 0;
    d.x = pad < 0 ? -pad : 0;
    d.end = d.first + (in->w > d.x ? in->w - d.x : 0);
    d.whole = qmcu_min((d.first + 2) / 3, (int32_t)d.threes);
    d.whole_end = d.end / 3 < d.whole ? d.whole : qmcu_min(d.end / 3, (int32_t)d.threes);
    d.is_signed = (in->format & 1u) != 0u;
    int32_t rows;
    for (int32_t oy = 0; oy < out->h; oy += rows) {
        rows = qmcu_rows_together(params, in, out, oy);
        for (int32_t c = 0; c < in->channels; c += 2) {
            convolve_pair(&d, shape, function, c, oy, oy + rows, words);
        }
    }
    return 1;
}

#endif /* QMCU_DSP */
