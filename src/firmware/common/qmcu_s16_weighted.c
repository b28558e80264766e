/*
 * QuantMCU runtime: convolutions and fully connected layers of which the input or the output has 16 bits. Weights have
 * 8.
 *
 * Codes under the windows of up to four pixels are gathered in columns, two codes of each pixel in turn, and multiplied
 * with two rows of weights at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_s16.h"
#include "qmcu_conv2d_dsp_dot.h"

/* Codes that columns have room for. */
#define S16_CODES (QMCU_COLUMN_BYTES / 2)

/* One layer, as all calls see it. */
typedef struct {
    const qmcu_window *window;
    const int8_t *weights;
    const int16_t *pad_codes;
    const qmcu_requant *requant;
    const qmcu_map *in;
    const qmcu_map *out;
    int32_t group;
    int32_t group_in; /* channels of the input and of the output in each group */
    int32_t group_out;
    int32_t length; /* of a column */
} s16_layer;

/* Where a column's next code goes: two places beside each other, then those of the other pixels. */
typedef struct {
    int16_t *to;
    int32_t step; /* to the next two places */
    int odd;
} s16_place;

QMCU_INLINE void put(s16_place *place, int32_t code)
{
    *place->to = (int16_t)code;
    place->to += place->odd ? place->step : 1;
    place->odd = !place->odd;
}

/* Codes of channels [first, first + n) of a pixel. Inlined with a constant format where that is worth while. */
QMCU_INLINE void put_codes(s16_place *place, const uint8_t *p, uint32_t format, int32_t first, int32_t n)
{
    s16_place at = *place;
    for (int32_t c = first; c < first + n; c++) {
        int16_t code;
        if (format == QMCU_S16) {
            memcpy(&code, p + 2 * c, sizeof code);
        } else {
            code = (int16_t)qmcu_code(p, (uint32_t)c, format);
        }
        put(&at, code);
    }
    *place = at;
}

/* The same of the tap at (y, x), which may lie outside. */
static QMCU_NOINLINE void put_tap(const s16_layer *l, int32_t y, int32_t x, int32_t first, int32_t n, s16_place *place)
{
    const qmcu_map *in = l->in;
    if (y < 0 || y >= in->h || x < 0 || x >= in->w) {
        for (int32_t c = first; c < first + n; c++) {
            put(place, l->pad_codes != NULL ? l->pad_codes[c] : 0);
        }
    } else if (in->format == QMCU_S16) {
        put_codes(place, qmcu_at(in, y, x, 0), QMCU_S16, first, n);
    } else if (in->format == QMCU_U8) {
        put_codes(place, qmcu_at(in, y, x, 0), QMCU_U8, first, n);
    } else {
        put_codes(place, qmcu_at(in, y, x, 0), in->format, first, n);
    }
}

/* The column of output pixel (oy, ox) in a group as that of `pixel` of `pixels`. */
static QMCU_NOINLINE QMCU_SMALL void gather(const s16_layer *l, int32_t group, int32_t oy, int32_t ox, int32_t pixel,
                                            int32_t pixels, int16_t *columns)
{
    const qmcu_window *w = l->window;
    s16_place place = {columns + 2 * pixel, 2 * pixels - 1, 0};
    int32_t y = oy * w->stride_h - w->pad_top;
    for (int32_t i = w->kernel_h; i > 0; i--) {
        int32_t x = ox * w->stride_w - w->pad_left;
        for (int32_t j = w->kernel_w; j > 0; j--) {
            put_tap(l, y, x, group * l->group_in, l->group_in, &place);
            x += w->dilation_w;
        }
        y += w->dilation_h;
    }
}

/* Places [from, from + n) of such a column, of one pixel; `from` is even. */
static QMCU_NOINLINE QMCU_SMALL void gather_part(const s16_layer *l, int32_t group, int32_t oy, int32_t ox,
                                                 int32_t from, int32_t n, int16_t *columns)
{
    const qmcu_window *w = l->window;
    const int32_t end = from + n;
    s16_place place = {columns, 1, 0};
    for (int32_t at = from; at < end;) {
        const int32_t tap = at / l->group_in;
        const int32_t channel = at % l->group_in;
        const int32_t count = qmcu_min(l->group_in - channel, end - at);
        const int32_t y = oy * w->stride_h - w->pad_top + tap / w->kernel_w * w->dilation_h;
        const int32_t x = ox * w->stride_w - w->pad_left + tap % w->kernel_w * w->dilation_w;
        put_tap(l, y, x, group * l->group_in + channel, count, &place);
        at += count;
    }
}

#if QMCU_DSP
QMCU_INLINE void multiply(uint32_t pixels, qmcu_sums *s, const int16_t *x, const int8_t *w, int32_t n)
{
    qmcu_pairs_8(pixels, s, x, (const uint8_t *)w, (uint32_t)n);
}
#else
/* A code of each pixel, `x` on, times a weight of each row. */
QMCU_INLINE void multiply_places(uint32_t pixels, qmcu_sums *s, const int16_t *x, int32_t a, int32_t b)
{
    s->a0 = qmcu_mla(x[0], a, s->a0);
    s->b0 = qmcu_mla(x[0], b, s->b0);
    if (pixels > 1u) {
        s->a1 = qmcu_mla(x[2], a, s->a1);
        s->b1 = qmcu_mla(x[2], b, s->b1);
        s->a2 = qmcu_mla(x[4], a, s->a2);
        s->b2 = qmcu_mla(x[4], b, s->b2);
        s->a3 = qmcu_mla(x[6], a, s->a3);
        s->b3 = qmcu_mla(x[6], b, s->b3);
    }
}

/* Adds products of n codes of 1 or 4 pixels with two rows of weights. */
QMCU_INLINE void multiply(uint32_t pixels, qmcu_sums *s, const int16_t *x, const int8_t *w, int32_t n)
{
    /* Counted down by one: GCC 12 at -Os for the M55 drops the condition behind a loop that steps by two. */
    for (uint32_t pairs = (uint32_t)n / 2u; pairs > 0u; pairs--) {
        multiply_places(pixels, s, x, w[0], w[1]);
        multiply_places(pixels, s, x + 1, w[2], w[3]);
        x += 2u * pixels;
        w += 4;
    }
    if (n % 2 != 0) {
        multiply_places(pixels, s, x, w[0], w[1]);
    }
}
#endif

/* Where the next code of a pixel goes. */
QMCU_INLINE void write_code(qmcu_writer *writer, int32_t code)
{
    if (writer->bits == 16u) {
        const int16_t word = (int16_t)code;
        memcpy(writer->p, &word, sizeof word);
        writer->p += sizeof word;
    } else {
        qmcu_write(writer, code);
    }
}

/* How sums of two channels become codes. */
typedef struct {
    int32_t count; /* 2, or 1 where a group ends with the first */
    int32_t bias[2];
    int32_t multiplier[2];
    int32_t max[2];
} s16_pair;

QMCU_INLINE s16_pair pair_of(const qmcu_requant *r, int32_t channel, int32_t left)
{
    s16_pair pair;
    const int32_t second = left > 1 ? channel + 1 : channel;
    pair.count = left > 1 ? 2 : 1;
    pair.bias[0] = qmcu_bias(r, channel);
    pair.bias[1] = qmcu_bias(r, second);
    pair.multiplier[0] = r->multiplier[channel];
    pair.multiplier[1] = r->multiplier[second];
    pair.max[0] = qmcu_s16_max(r, channel);
    pair.max[1] = qmcu_s16_max(r, second);
    return pair;
}

QMCU_INLINE void write_pair(const qmcu_requant *r, const s16_pair *pair, int32_t a, int32_t b, qmcu_writer *writer)
{
    write_code(writer, qmcu_s16_code(r, pair->multiplier[0], pair->max[0], a));
    if (pair->count > 1) {
        write_code(writer, qmcu_s16_code(r, pair->multiplier[1], pair->max[1], b));
    }
}

/* Sums that begin with the biases. */
QMCU_INLINE qmcu_sums begin_sums(const s16_pair *pair)
{
    const int32_t a = pair->bias[0];
    const int32_t b = pair->bias[1];
    const qmcu_sums sums = {a, a, a, a, b, b, b, b};
    return sums;
}

static QMCU_NOINLINE void multiply_four(qmcu_sums *s, const int16_t *x, const int8_t *w, int32_t n)
{
    qmcu_sums sums = *s;
    multiply(4u, &sums, x, w, n);
    *s = sums;
}

static QMCU_NOINLINE void multiply_one(qmcu_sums *s, const int16_t *x, const int8_t *w, int32_t n)
{
    qmcu_sums sums = *s;
    multiply(1u, &sums, x, w, n);
    *s = sums;
}

/* Pixels [ox, ox + pixels) of a row, whose columns of a group have room together. Inlined with constants. */
QMCU_INLINE void convolve_columns(const s16_layer *l, uint32_t pixels, int32_t oy, int32_t ox, int16_t *columns)
{
    const qmcu_requant r = *l->requant;
    qmcu_writer writers[4];
    const int8_t *w = l->weights;
    for (int32_t j = 0; j < (int32_t)pixels; j++) {
        writers[j] = qmcu_write_pixel(qmcu_at(l->out, oy, ox + j, 0), l->out->format);
    }
    for (int32_t g = 0; g < l->group; g++) {
        for (int32_t j = 0; j < (int32_t)pixels; j++) {
            gather(l, g, oy, ox + j, j, (int32_t)pixels, columns);
        }
        for (int32_t o = 0; o < l->group_out; o += 2) {
            const s16_pair pair = pair_of(&r, g * l->group_out + o, l->group_out - o);
            qmcu_sums s = begin_sums(&pair);
            if (pixels > 1u) {
                multiply_four(&s, columns, w, l->length);
            } else {
                multiply_one(&s, columns, w, l->length);
            }
            w += 2 * l->length;
            write_pair(&r, &pair, s.a0, s.b0, &writers[0]);
            if (pixels > 1u) {
                write_pair(&r, &pair, s.a1, s.b1, &writers[1]);
                write_pair(&r, &pair, s.a2, s.b2, &writers[2]);
                write_pair(&r, &pair, s.a3, s.b3, &writers[3]);
            }
        }
    }
    for (int32_t j = 0; j < (int32_t)pixels; j++) {
        qmcu_write_end(&writers[j]);
    }
}

static QMCU_NOINLINE QMCU_SMALL void convolve_four(const s16_layer *l, int32_t oy, int32_t ox, int16_t *columns)
{
    convolve_columns(l, 4u, oy, ox, columns);
}

static QMCU_NOINLINE QMCU_SMALL void convolve_one(const s16_layer *l, int32_t oy, int32_t ox, int16_t *columns)
{
    convolve_columns(l, 1u, oy, ox, columns);
}

/* A pixel whose column has no room: its parts are gathered again for each pair of channels. */
static QMCU_NOINLINE QMCU_SMALL void convolve_parts(const s16_layer *l, int32_t oy, int32_t ox, int16_t *columns)
{
    const qmcu_requant r = *l->requant;
    qmcu_writer writer = qmcu_write_pixel(qmcu_at(l->out, oy, ox, 0), l->out->format);
    const int8_t *w = l->weights;
    for (int32_t channel = 0; channel < l->out->channels;) {
        const int32_t g = channel / l->group_out;
        const s16_pair pair = pair_of(&r, channel, (g + 1) * l->group_out - channel);
        qmcu_sums s = begin_sums(&pair);
        for (int32_t from = 0; from < l->length; from += S16_CODES) {
            const int32_t n = qmcu_min(S16_CODES, l->length - from);
            gather_part(l, g, oy, ox, from, n, columns);
            multiply_one(&s, columns, w + 2 * from, n);
        }
        w += 2 * l->length;
        write_pair(&r, &pair, s.a0, s.b0, &writer);
        channel += pair.count;
    }
    qmcu_write_end(&writer);
}

static QMCU_SMALL void convolve(const s16_layer *l)
{
    QMCU_ALIGN(4) int16_t columns[S16_CODES];
    const int32_t even = l->length + l->length % 2;
    for (int32_t oy = 0; oy < l->out->h; oy++) {
        int32_t ox = 0;
        for (; ox + 4 <= l->out->w && 4 * even <= S16_CODES; ox += 4) {
            convolve_four(l, oy, ox, columns);
        }
        for (; ox < l->out->w; ox++) {
            if (even <= S16_CODES) {
                convolve_one(l, oy, ox, columns);
            } else {
                convolve_parts(l, oy, ox, columns);
            }
        }
    }
}

QMCU_KERNEL void qmcu_conv2d_s16(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    s16_layer l;
    l.window = &params->window;
    l.weights = params->weights;
    l.pad_codes = params->pad_codes;
    l.requant = &params->requant;
    l.in = in;
    l.out = out;
    l.group = params->group;
    l.group_in = in->channels / params->group;
    l.group_out = out->channels / params->group;
    l.length = params->window.kernel_h * params->window.kernel_w * l.group_in;
    convolve(&l);
}

/* A convolution with one window, which is the whole input. */
QMCU_KERNEL void qmcu_fully_connected_s16(const qmcu_fully_connected_params *params, const qmcu_map *in,
                                          const qmcu_map *out)
{
    const qmcu_window window = {(int16_t)in->h, (int16_t)in->w, 1, 1, 1, 1, 0, 0};
    s16_layer l;
    l.window = &window;
    l.weights = params->weights;
    l.pad_codes = NULL;
    l.requant = &params->requant;
    l.in = in;
    l.out = out;
    l.group = 1;
    l.group_in = in->channels;
    l.group_out = out->channels;
    l.length = in->h * in->w * in->channels;
    convolve(&l);
}
