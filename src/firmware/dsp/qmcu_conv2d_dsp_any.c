/*
 * QuantMCU runtime: 2-D any_convolution of any shape and fully connected layers, with the DSP extension.
 *
 * The codes under the windows of up to four output pixels are unpacked to 16 bits (qmcu_conv2d_dsp_columns.h); then two
 * output channels at a time are summed for all of them (qmcu_conv2d_dsp_dot.h).
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_any.h"

#include "qmcu_conv2d_dsp_columns.h"
#include "qmcu_conv2d_dsp_dot.h"
#include "qmcu_requantize.h"

#if QMCU_DSP

/* 16-bit numbers on the stack, a multiple of 4. */
#define COLUMN_CODES (QMCU_COLUMN_BYTES / 2u / 4u * 4u)

/* Weights that there are functions for, and of the pixels that are used the most at a time: registers suffice for 4. */
#define WEIGHTS       ((QMCU_CONV2D_PIXELS != 0u ? 2u : 0u) | (QMCU_CONV2D_PIXELS_4 != 0u ? 1u : 0u))
#define LARGEST(used) (((used)&4u) != 0u ? 4u : ((used)&2u) != 0u ? 2u : 1u)

/* Output channels whose sums are kept while a column longer than the stack's numbers goes through them in parts. */
#define LONG_CHANNELS 32

/* What every pixel of one call needs. */
typedef struct {
    const qmcu_window *window;
    const uint8_t *weights;
    const int16_t *pad_codes;
    const qmcu_map *in;
    const qmcu_map *out;
    qmcu_scale scale;
    uint32_t length;      /* of a column */
    uint32_t in_channels; /* per group */
    int32_t out_channels; /* per group */
    uint32_t pair_bytes;  /* of the weights of two output channels */
    uint32_t weight_bits;
    int dense; /* adjacent taps are one run of codes */
} any_convolution;

/* Codes [from, to) of one pixel's column, and where they go. */
typedef struct {
    int16_t *column;
    uint32_t step;
    uint32_t from;
    uint32_t to;
} any_part;

/* Puts n codes from code i of byte p on (NULL: padding, from channel i on) to place k of the column, as far as they
 * belong to the part. */
static QMCU_SMALL void any_put(const any_convolution *conv, const any_part *t, const uint8_t *p, uint32_t i, uint32_t n,
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
    if (p != NULL) {
        qmcu_expand(p, conv->in->format, i, n, t->column, t->step, k - t->from);
    } else {
        const int16_t *codes = conv->pad_codes;
        qmcu_expand_padding(codes, i, n, (uint32_t)conv->in->channels, t->column, t->step, k - t->from);
    }
}

/* The window's rows that begin at (y, x) of the input, channels of group g. */
static QMCU_SMALL void any_gather(const any_convolution *conv, int32_t y, int32_t x, uint32_t g, const any_part *t)
{
    const qmcu_window *window = conv->window;
    const uint32_t first_code = g * conv->in_channels;
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, conv->in->h);
    const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, conv->in->w);
    uint32_t k = 0u;
    for (int32_t i = 0; i < window->kernel_h; i++) {
        const int inside = i >= ky.first && i < ky.end;
        for (int32_t j = 0; j < window->kernel_w;) {
            const uint8_t *p = NULL;
            int32_t taps = 1;
            if (inside && j >= kx.first && j < kx.end) {
                p = qmcu_at(conv->in, y + i * window->dilation_h, x + j * window->dilation_w, 0);
                taps = conv->dense ? kx.end - j : 1;
            }
            const uint32_t n = (uint32_t)taps * conv->in_channels;
            any_put(conv, t, p, first_code, n, k);
            k += n;
            j += taps;
        }
    }
    if ((t->to - t->from) % 2u != 0u) {
        t->column[(t->to - t->from) / 2u * t->step + 1u] = 0;
    }
}

/* Writes the code of channel o; channels come upward, so that a byte is begun by its first. */
QMCU_INLINE void write_code(uint8_t *pixel, uint32_t bits, int32_t o, int32_t code)
{
    const uint32_t at = (uint32_t)o * bits;
    const uint32_t value = ((uint32_t)code & ((1u << bits) - 1u)) << (at % 8u);
    uint8_t *p = pixel + at / 8u;
    *p = (uint8_t)(at % 8u == 0u ? value : *p | value);
}

/* Codes of channels o and, when `count` is 2, o + 1 from their sums: those of o for all pixels, then the others'. */
static QMCU_SMALL void write_codes(const any_convolution *conv, const int32_t *sums, uint32_t pixels, int32_t o,
                                   int32_t count, uint8_t *const *to)
{
    const uint32_t bits = qmcu_bits(conv->out->format);
    for (int32_t end = o + count; o < end; o++) {
        const int32_t multiplier = conv->scale.requant->multiplier[o];
        const int32_t max = qmcu_scale_max(&conv->scale, o);
        for (uint32_t p = 0u; p < pixels; p++) {
            int32_t code;
            const uint32_t saturate = conv->scale.saturate;
            if (saturate != 0u) {
                code = (int32_t)(qmcu_scale_saturated(&conv->scale, saturate, multiplier, sums[p]) ^ conv->scale.flip);
            } else {
                code = qmcu_scale_acc(&conv->scale, multiplier, max, sums[p]);
            }
            write_code(to[p], bits, o, code);
        }
        sums += 4;
    }
}

/* What two channels of a pixel need to become codes. */
typedef struct {
    int32_t multiplier_a;
    int32_t multiplier_b;
    int32_t o;
} pair_scale;

/* Both codes of one pixel, where they are saturated; o is even at less than 8 bits. */
QMCU_INLINE void write_pair(const qmcu_scale *scale, uint32_t bits, const pair_scale *pair, int32_t a, int32_t b,
                            uint8_t *to)
{
    const uint32_t code_a = qmcu_scale_saturated(scale, bits, pair->multiplier_a, a) ^ scale->flip;
    const uint32_t code_b = qmcu_scale_saturated(scale, bits, pair->multiplier_b, b) ^ scale->flip;
    if (bits == 8u) {
        to[pair->o] = (uint8_t)code_a;
        to[pair->o + 1] = (uint8_t)code_b;
    } else {
        to[pair->o / 2] = (uint8_t)((code_a & 15u) | code_b << 4);
    }
}

QMCU_INLINE void write_pairs(const qmcu_scale *scale, uint32_t bits, uint32_t pixels, const pair_scale *pair,
                             const qmcu_sums *s, uint8_t *const *to)
{
    write_pair(scale, bits, pair, s->a0, s->b0, to[0]);
    if (pixels > 1u) {
        write_pair(scale, bits, pair, s->a1, s->b1, to[1]);
    }
    if (pixels > 2u) {
        write_pair(scale, bits, pair, s->a2, s->b2, to[2]);
        write_pair(scale, bits, pair, s->a3, s->b3, to[3]);
    }
}

QMCU_INLINE void dot(uint32_t pixels, uint32_t weight_bits, qmcu_sums *s, const int16_t *x, const uint8_t *w,
                     uint32_t n)
{
    if (QMCU_ARE_BYTES(WEIGHTS, weight_bits)) {
        qmcu_pairs_8(pixels, s, x, w, n);
    } else {
        qmcu_pairs_4(pixels, s, x, w, n);
    }
}

/* All output channels of group g for the pixels whose columns are given. Inlined with constant pixels and bits. */
QMCU_INLINE void any_convolve_block(uint32_t pixels, uint32_t weight_bits, const any_convolution *conv,
                                    const int16_t *columns, uint32_t g, uint8_t *const *to)
{
    const int32_t first = (int32_t)g * conv->out_channels;
    const int32_t end = first + conv->out_channels;
    const qmcu_requant *requant = conv->scale.requant;
    const uint8_t *w = conv->weights;
    w += g * (uint32_t)((conv->out_channels + 1) / 2) * conv->pair_bytes;
    for (int32_t o = first; o < end; o += 2) {
        const int32_t next = o + 1 < end ? o + 1 : o;
        qmcu_sums s = qmcu_sums_of(qmcu_bias(requant, o), qmcu_bias(requant, next));
        dot(pixels, weight_bits, &s, columns, w, conv->length);
        w += conv->pair_bytes;
        const pair_scale pair = {requant->multiplier[o], requant->multiplier[next], o};
        /* Of single pixels there are too few for functions that are faster. */
        const uint32_t bits = pixels == 1u || next == o ? 0u : conv->scale.saturate;
        if (bits == 8u) {
            write_pairs(&conv->scale, 8u, pixels, &pair, &s, to);
            continue;
        }
        if (bits == 4u && o % 2 == 0) {
            write_pairs(&conv->scale, 4u, pixels, &pair, &s, to);
            continue;
        }
        const int32_t sums[8] = {s.a0, s.a1, s.a2, s.a3, s.b0, s.b1, s.b2, s.b3};
        write_codes(conv, sums, pixels, o, qmcu_min(2, end - o), to);
    }
}

typedef void block_function(const any_convolution *conv, const int16_t *columns, uint32_t g, uint8_t *const *to);

#define BLOCK(name, pixels, weight_bits)                                                                              \
    QMCU_KERNEL static void name(const any_convolution *conv, const int16_t *columns, uint32_t g, uint8_t *const *to) \
    {                                                                                                                 \
        any_convolve_block(pixels, weight_bits, conv, columns, g, to);                                                \
    }

BLOCK(block_1_w8, 1u, 8u)
BLOCK(block_1_w4, 1u, 4u)
BLOCK(block_2_w8, 2u, 8u)
BLOCK(block_2_w4, 2u, 4u)
BLOCK(block_4_w8, 4u, 8u)
BLOCK(block_4_w4, 4u, 4u)

#if QMCU_USES_ALL /* by pixels / 2 */
static block_function *const blocks_w8[3] = {block_1_w8, block_2_w8, block_4_w8};
static block_function *const blocks_w4[3] = {block_1_w4, block_2_w4, block_4_w4};
#define BLOCK_OF(pixels, weight_bits) (((weight_bits) == 8u ? blocks_w8 : blocks_w4)[(pixels) / 2u])
#else
/* The function for this many pixels, of those that are used. */
#define FOR_PIXELS(used, pixels, one, two, four) \
    (((used)&4u) != 0u && (pixels) == 4u ? (four) : ((used)&2u) != 0u && (pixels) == 2u ? (two) : (one))
#define BLOCK_OF(pixels, weight_bits)                                                 \
    (QMCU_ARE_BYTES(WEIGHTS, weight_bits)                                             \
         ? FOR_PIXELS(QMCU_CONV2D_PIXELS, pixels, block_1_w8, block_2_w8, block_4_w8) \
         : FOR_PIXELS(QMCU_CONV2D_PIXELS_4, pixels, block_1_w4, block_2_w4, block_4_w4))
#endif

/* One pixel whose column is longer than the stack's numbers. */
static QMCU_SMALL void convolve_long(const any_convolution *conv, int16_t *columns, int32_t y, int32_t x, uint32_t g,
                                     uint8_t *const *to)
{
    const int32_t end = ((int32_t)g + 1) * conv->out_channels;
    const uint8_t *weights = conv->weights + g * (uint32_t)((conv->out_channels + 1) / 2) * conv->pair_bytes;
    for (int32_t o = (int32_t)g * conv->out_channels; o < end; o += LONG_CHANNELS) {
        const int32_t count = qmcu_min(LONG_CHANNELS, end - o);
        int32_t sums[LONG_CHANNELS];
        for (int32_t c = 0; c < LONG_CHANNELS; c++) {
            sums[c] = c < count ? qmcu_bias(conv->scale.requant, o + c) : 0;
        }
        for (uint32_t from = 0u; from < conv->length; from += COLUMN_CODES) {
            const uint32_t n = conv->length - from < COLUMN_CODES ? conv->length - from : COLUMN_CODES;
            const any_part t = {columns, 2u, from, from + n};
            const uint8_t *w = weights + 2u * from * conv->weight_bits / 8u;
            any_gather(conv, y, x, g, &t);
            for (int32_t c = 0; c < count; c += 2) {
                qmcu_sums s = qmcu_sums_of(0, 0);
                dot(1u, conv->weight_bits, &s, columns, w, n);
                sums[c] += s.a0;
                sums[c + 1] += s.b0;
                w += conv->pair_bytes;
            }
        }
        weights += (uint32_t)(LONG_CHANNELS / 2) * conv->pair_bytes;
        for (int32_t c = 0; c < count; c++) {
            write_codes(conv, sums + c, 1u, o + c, 1, to);
        }
    }
}

/* The pixels oy, ox ... oy, ox + count - 1 of the output, going on in the next rows. */
static QMCU_SMALL void convolve_pixels(const any_convolution *conv, uint32_t largest, int32_t oy, int32_t ox,
                                       int32_t count, int32_t groups)
{
    QMCU_ALIGN(4) int16_t columns[COLUMN_CODES];
    const qmcu_window *window = conv->window;
    while (count > 0) {
        const uint32_t pixels = count >= (int32_t)largest ? largest : count >= 2 && largest >= 2u ? 2u : 1u;
        for (int32_t g = 0; g < groups; g++) {
            uint8_t *to[4];
            int32_t y = 0;
            int32_t x = 0;
            int32_t row = oy;
            int32_t column = ox;
            for (uint32_t p = 0u; p < pixels; p++) {
                const any_part t = {columns + 2u * p, 2u * pixels, 0u, conv->length};
                y = row * window->stride_h - window->pad_top;
                x = column * window->stride_w - window->pad_left;
                to[p] = qmcu_at(conv->out, row, column, 0);
                if (conv->length <= COLUMN_CODES) {
                    any_gather(conv, y, x, (uint32_t)g, &t);
                }
                column++;
                if (column == conv->out->w) {
                    column = 0;
                    row++;
                }
            }
            if (QMCU_CONV2D_LONG && conv->length > COLUMN_CODES) {
                convolve_long(conv, columns, y, x, (uint32_t)g, to);
            } else {
                BLOCK_OF(pixels, conv->weight_bits)(conv, columns, (uint32_t)g, to);
            }
        }
        count -= (int32_t)pixels;
        for (ox += (int32_t)pixels; ox >= conv->out->w; ox -= conv->out->w) {
            oy++;
        }
    }
}

/* Pixels at a time for which the stack's numbers suffice. */
static uint32_t largest_block(const any_convolution *conv)
{
    const uint32_t even = (conv->length + 1u) / 2u * 2u;
    const uint32_t most =
        QMCU_ARE_BYTES(WEIGHTS, conv->weight_bits) ? LARGEST(QMCU_CONV2D_PIXELS) : LARGEST(QMCU_CONV2D_PIXELS_4);
    return most * even <= COLUMN_CODES ? most : 2u * even <= COLUMN_CODES ? 2u : 1u;
}

static QMCU_SMALL void convolve(const any_convolution *conv, int32_t groups)
{
    const uint32_t largest = largest_block(conv);
    if (groups == 1) {
        convolve_pixels(conv, largest, 0, 0, conv->out->h * conv->out->w, 1);
        return;
    }
    /* A block that reached into the next row would write there before later groups have read the rows that only this
     * one needs. */
    for (int32_t oy = 0; oy < conv->out->h; oy++) {
        convolve_pixels(conv, largest, oy, 0, conv->out->w, groups);
    }
}

static QMCU_SMALL any_convolution convolution_of(const qmcu_conv2d_params *params, const qmcu_map *in,
                                                 const qmcu_map *out)
{
    any_convolution conv;
    conv.window = &params->window;
    conv.weights = params->weights;
    conv.pad_codes = params->pad_codes;
    conv.in = in;
    conv.out = out;
    conv.scale = qmcu_scale_of(&params->requant, out->format);
    conv.in_channels = (uint32_t)(in->channels / params->group);
    conv.length = (uint32_t)(params->window.kernel_h * params->window.kernel_w) * conv.in_channels;
    conv.out_channels = out->channels / params->group;
    conv.weight_bits = params->weight_bits;
    conv.pair_bytes = 2u * conv.length * conv.weight_bits / 8u;
    conv.dense = params->group == 1 && params->window.dilation_w == 1 && qmcu_is_dense(in);
    return conv;
}

QMCU_SMALL void qmcu_convolve_pixels(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out,
                                     int32_t oy, int32_t ox, int32_t count)
{
    const any_convolution conv = convolution_of(params, in, out);
    convolve_pixels(&conv, largest_block(&conv), oy, ox, count, 1);
}

QMCU_SMALL void qmcu_window_column(const qmcu_conv2d_params *params, const qmcu_map *in, int32_t y, int32_t x,
                                   uint32_t from, uint32_t to, int16_t *column)
{
    const any_convolution conv = convolution_of(params, in, in);
    const any_part t = {column, 8u, from, to};
    any_gather(&conv, y, x, 0u, &t);
}

QMCU_SMALL void qmcu_convolve_any(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const any_convolution conv = convolution_of(params, in, out);
    convolve(&conv, params->group);
}

QMCU_KERNEL QMCU_SMALL void qmcu_fully_connected(const qmcu_fully_connected_params *params, const qmcu_map *in,
                                                 const qmcu_map *out)
{
    const qmcu_window window = {(int16_t)in->h, (int16_t)in->w, 1, 1, 1, 1, 0, 0};
    any_convolution conv;
    conv.window = &window;
    conv.weights = params->weights;
    conv.pad_codes = NULL;
    conv.in = in;
    conv.out = out;
    conv.scale = qmcu_scale_of(&params->requant, out->format);
    conv.in_channels = (uint32_t)in->channels;
    conv.length = (uint32_t)(in->h * in->w * in->channels);
    conv.out_channels = out->channels;
    conv.weight_bits = params->weight_bits;
    conv.pair_bytes = 2u * conv.length * conv.weight_bits / 8u;
    conv.dense = qmcu_is_dense(in);
    convolve(&conv, 1);
}

#endif /* QMCU_DSP */
