/*
 * QuantMCU runtime: depthwise convolutions row by row and channel by channel, with the DSP extension.
 *
 * Two channels at a time, which lie in one halfword or byte of a pixel, are taken out of the rows under the windows; then a row
 * function computes the outputs of each.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_rows.h"

#if QMCU_DSP

/* 16-bit numbers on the stack. */
#define ROW_CODES (QMCU_COLUMN_BYTES / 2u / 8u * 8u)

/* What every pair of channels of a call needs. */
typedef struct {
    const qmcu_depthwise2d_params *params;
    const qmcu_map *in;
    const qmcu_map *out;
    const qmcu_row_shape *shape;
    qmcu_row_function *function;
    uint32_t columns;     /* under the windows of a row */
    uint32_t first;       /* of them, where the input's column x begins */
    int32_t x;
    uint32_t pixels;      /* of the input */
    uint32_t row_bytes;   /* of the weights of one tap */
} depthwise;

/* Number `column` of the first channel's row in place `place`, from the first of place 0 on; the second channel's is 4 after it. */
QMCU_INLINE uint32_t place_of(uint32_t kernel, uint32_t place, uint32_t column)
{
    return (column / 4u * kernel + place) * 8u + column % 4u;
}

/* Bytes of one pixel's two channels as the low byte or byte of nibbles and the high byte. */
QMCU_INLINE uint32_t load_pair(uint32_t bits, const uint8_t *p)
{
    return bits == 8u ? qmcu_load_half(p) : (uint32_t)*p;
}

/* Codes of the first channel, or the second, of two pixels whose pairs are in the halves of a word. */
QMCU_INLINE uint32_t channel_of(uint32_t format, uint32_t second, uint32_t word)
{
    switch (format) {
    case QMCU_U8:
        return second ? qmcu_uxtb16_ror8(word) : qmcu_uxtb16(word);
    case QMCU_S8:
        return second ? qmcu_sxtb16_ror8(word) : qmcu_sxtb16(word);
    case QMCU_U4:
        return (second ? word >> 4 : word) & 0x000f000fu;
    default:
        return qmcu_ssub16(((second ? word >> 4 : word) & 0x000f000fu) ^ 0x00080008u, 0x00080008u);
    }
}

/* One pixel's codes. */
QMCU_INLINE void put_one(uint32_t format, const uint8_t *p, int16_t *to)
{
    const uint32_t word = load_pair(qmcu_bits(format), p);
    to[0] = (int16_t)channel_of(format, 0u, word);
    to[4] = (int16_t)channel_of(format, 1u, word);
}

/* Two pixels' pairs of codes. */
QMCU_INLINE uint32_t load_pairs(uint32_t format, const uint8_t *p, int32_t next)
{
    return load_pair(qmcu_bits(format), p) | load_pair(qmcu_bits(format), p + next) << 16;
}

QMCU_INLINE void put_two(uint32_t format, const uint8_t *p, int32_t next, int16_t *to)
{
    const uint32_t word = load_pairs(format, p, next);
    qmcu_store(to, channel_of(format, 0u, word));
    qmcu_store(to + 4, channel_of(format, 1u, word));
}

QMCU_INLINE void put_four(uint32_t format, const uint8_t *p, int32_t next, int16_t *to)
{
    const uint32_t first = load_pairs(format, p, next);
    const uint32_t second = load_pairs(format, p + 2 * next, next);
    qmcu_store_two(to, 0u, channel_of(format, 0u, first), channel_of(format, 0u, second));
    qmcu_store_two(to, 8u, channel_of(format, 1u, first), channel_of(format, 1u, second));
}

/* Two channels of a row of the input to place `place`; inlined with a constant format. */
QMCU_INLINE void put_row(uint32_t format, const depthwise *d, const uint8_t *p, uint32_t place, int16_t *codes)
{
    const uint32_t kernel = d->shape->kernel;
    const int32_t next = d->in->pixel_bytes;
    const uint32_t end = d->first + d->pixels;
    uint32_t column = d->first;
    if (column % 2u != 0u && column < end) {
        put_one(format, p, codes + place_of(kernel, place, column));
        p += next;
        column++;
    }
    if (column % 4u != 0u && column + 2u <= end) {
        put_two(format, p, next, codes + place_of(kernel, place, column));
        p += 2 * next;
        column += 2u;
    }
    int16_t *to = codes + place_of(kernel, place, column);
    for (uint32_t fours = column < end ? (end - column) / 4u : 0u; fours > 0u; fours--) {
        put_four(format, p, next, to);
        p += 4 * next;
        to += 8u * kernel;
        column += 4u;
        QMCU_OPAQUE(p);
    }
    if (column + 2u <= end) {
        put_two(format, p, next, codes + place_of(kernel, place, column));
        p += 2 * next;
        column += 2u;
    }
    if (column < end) {
        put_one(format, p, codes + place_of(kernel, place, column));
    }
}

/* Padding in columns [from, to) of both channels' row in a place. */
static void put_padding(const depthwise *d, const int16_t *padding, uint32_t place, uint32_t from, uint32_t to, int16_t *codes)
{
    for (; from < to; from++) {
        int16_t *at = codes + place_of(d->shape->kernel, place, from);
        at[0] = padding[0];
        at[4] = padding[1];
    }
}

/* Row y of the input, which may be outside, to place `place`, whose columns outside the input are there. */
static void put_input(const depthwise *d, int32_t c, int32_t y, const int16_t *padding, uint32_t place, int16_t *codes)
{
    if (y < 0 || y >= d->in->h || d->pixels == 0u) {
        put_padding(d, padding, place, 0u, d->columns, codes);
        return;
    }
    const uint8_t *p = qmcu_at(d->in, y, d->x, c);
    switch (d->in->format) {
    case QMCU_U8:
        put_row(QMCU_U8, d, p, place, codes);
        break;
    case QMCU_S8:
        put_row(QMCU_S8, d, p, place, codes);
        break;
    case QMCU_U4:
        put_row(QMCU_U4, d, p, place, codes);
        break;
    default:
        put_row(QMCU_S4, d, p, place, codes);
        break;
    }
}

/* The words of a row of taps, whose first weights of both channels are at w, to both channels' places and, but for the last row, `again` words later. */
QMCU_INLINE void put_taps(uint32_t format, const uint8_t *w, uint32_t next, uint32_t kernel, uint32_t again, uint32_t *a, uint32_t *b)
{
    uint32_t last = load_pair(qmcu_bits(format), w);
    for (uint32_t j = 0u; j + 1u < kernel; j++) {
        w += next;
        const uint32_t pair = load_pair(qmcu_bits(format), w);
        const uint32_t word = last | pair << 16;
        const uint32_t to = j / 2u + (j % 2u != 0u ? QMCU_ROW_TAP_WORDS(kernel) / 2u : 0u);
        a[to] = channel_of(format, 0u, word);
        b[to] = channel_of(format, 1u, word);
        if (again != 0u) {
            a[to + again] = a[to];
            b[to + again] = b[to];
        }
        last = pair;
    }
}

/* The weights and scales of channels c and c + 1. */
static void prepare(const depthwise *d, int32_t c, qmcu_row_weights *k)
{
    const qmcu_requant *r = &d->params->requant;
    const uint32_t kernel = d->shape->kernel;
    const uint8_t *w = (const uint8_t *)d->params->weights + (uint32_t)c * d->params->weight_bits / 8u;
    for (uint32_t i = 0u; i < kernel; i++) {
        uint32_t *a = k[0].taps + i * QMCU_ROW_TAP_WORDS(kernel);
        uint32_t *b = k[1].taps + i * QMCU_ROW_TAP_WORDS(kernel);
        const uint32_t again = i + 1u < kernel ? kernel * QMCU_ROW_TAP_WORDS(kernel) : 0u;
        if (d->params->weight_bits == 8u) {
            put_taps(QMCU_S8, w, d->row_bytes, kernel, again, a, b);
        } else {
            put_taps(QMCU_S4, w, d->row_bytes, kernel, again, a, b);
        }
        w += kernel * d->row_bytes;
    }
    for (int32_t i = 0; i < 2; i++) {
        k[i].bias = qmcu_bias(r, c + i);
        k[i].multiplier = r->multiplier[c + i];
        k[i].max = d->shape->bounded == 0u ? 255u : (uint32_t)(r->max_table != NULL ? r->max_table[c + i] : r->max);
    }
}

/* Output rows [from, to) of channels c and c + 1. */
static void convolve_pair(const depthwise *d, int32_t c, int32_t from, int32_t to, int16_t *codes)
{
    const uint32_t kernel = d->shape->kernel;
    const uint32_t stride = d->shape->stride;
    const int16_t *pad = d->params->pad_codes;
    const int16_t padding[2] = { (int16_t)(pad != NULL ? pad[c] : 0), (int16_t)(pad != NULL ? pad[c + 1] : 0) };
    qmcu_row_weights weights[2];
    qmcu_row row = { d->shape, weights, 0u, codes, d->out->w, qmcu_at(d->out, from, 0, c) };
    prepare(d, c, weights);
    int32_t y = from * (int32_t)stride - d->params->window.pad_top; /* of the next row to put */
    uint32_t place = 0u;                                            /* where it goes, and the first row under the windows is */
    for (uint32_t i = 0u; i < kernel; i++) {
        put_padding(d, padding, i, 0u, d->first, codes);
        put_padding(d, padding, i, d->first + d->pixels, d->columns, codes);
        put_input(d, c, y, padding, i, codes);
        y++;
    }
    for (int32_t oy = from; oy < to; oy++) {
        /* Place p holds row (p - place) of the windows. */
        row.turn = place == 0u ? 0u : (kernel - place) * QMCU_ROW_TAP_WORDS(kernel);
        d->function(&row);
        row.to += d->out->row_bytes;
        for (uint32_t i = 0u; i < stride && oy + 1 < to; i++) {
            put_input(d, c, y, padding, place, codes);
            y++;
            place = place + 1u == kernel ? 0u : place + 1u;
        }
    }
}

int qmcu_depthwise_by(const qmcu_row_shape *shape, qmcu_row_function *function, const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    QMCU_ALIGN(8) int16_t codes[ROW_CODES];
    depthwise d;
    d.params = params;
    d.in = in;
    d.out = out;
    d.shape = shape;
    d.function = function;
    d.columns = ((uint32_t)out->w - 1u) * shape->stride + shape->kernel;
    /* The last of four outputs reads LDRD's words to the end of a group of four columns. */
    const uint32_t groups = ((uint32_t)out->w + 3u) / 4u * shape->stride + (shape->stride == 1u ? 1u : shape->kernel == 5u ? 2u : 1u);
    if (8u * shape->kernel * groups > ROW_CODES) {
        return 0;
    }
    const int32_t pad = params->window.pad_left;
    d.first = pad > 0 ? (uint32_t)qmcu_min(pad, (int32_t)d.columns) : 0u;
    d.x = pad < 0 ? -pad : 0;
    const int32_t pixels = qmcu_min(in->w - d.x, (int32_t)(d.columns - d.first));
    d.pixels = pixels > 0 ? (uint32_t)pixels : 0u;
    d.row_bytes = qmcu_weight_row_bytes((uint32_t)in->channels, params->weight_bits);
    /* Few rows at a time the input is unpacked again for those that it is under, but nothing is overwritten before all channels have read it. */
    int32_t rows;
    for (int32_t oy = 0; oy < out->h; oy += rows) {
        rows = qmcu_rows_together(params, in, out, oy);
        for (int32_t c = 0; c < in->channels; c += 2) {
            convolve_pair(&d, c, oy, oy + rows, codes);
        }
    }
    return 1;
}

#define ROW(name, kernel_size, step)                  \
    QMCU_KERNEL static void name(const qmcu_row *row) \
    {                                                 \
        qmcu_row_shape shape = *row->shape;           \
        shape.kernel = kernel_size;                   \
        shape.stride = step;                          \
        qmcu_row_shared(&shape, row);                 \
    }

ROW(row_3_1, 3u, 1u)
ROW(row_3_2, 3u, 2u)
ROW(row_5_1, 5u, 1u)
ROW(row_5_2, 5u, 2u)

int qmcu_depthwise_rows(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    static qmcu_row_function *const functions[4] = { row_3_1, row_3_2, row_5_1, row_5_2 };
    const qmcu_window *window = &params->window;
    const qmcu_requant *r = &params->requant;
    const uint32_t bits = qmcu_bits(out->format);
    const int32_t lowest = (out->format & 1u) != 0u ? -(int32_t)(1u << (bits - 1u)) : 0;
    const int32_t highest = lowest + (int32_t)((1u << bits) - 1u);
    qmcu_row_shape shape;
    if (window->kernel_h != window->kernel_w || (window->kernel_h != 3 && window->kernel_h != 5) || window->stride_h != window->stride_w
        || window->stride_h > 2 || window->dilation_h != 1 || window->dilation_w != 1) {
        return 0;
    }
    if (in->channels % 2 != 0 || in->format < QMCU_U4 || bits < 4u || r->min != lowest || r->shift > 22u) {
        return 0;
    }
    shape.kernel = (uint32_t)window->kernel_h;
    shape.stride = (uint32_t)window->stride_h;
    shape.format = out->format;
    shape.bounded = r->max_table != NULL || r->max < highest;
    shape.pre_shift = r->pre_shift;
    shape.shift = r->shift;
    shape.bias_shift = r->bias_shift;
    shape.pixel_bytes = out->pixel_bytes;
    if ((shape.bounded && out->format != QMCU_U8 && out->format != QMCU_U4) || r->max < 0 || r->max > highest) {
        return 0;
    }
    return qmcu_depthwise_by(&shape, functions[(shape.kernel - 3u) + shape.stride - 1u], params, in, out);
}

#endif /* QMCU_DSP */
