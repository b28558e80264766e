/*
 * QuantMCU runtime: 2-D convolution and fully connected layers for cores without DSP and vector instructions.
 *
 * The codes under the windows of four output pixels, or of one, go to columns of words (qmcu_conv2d_plain_columns.h);
 * then two output channels, or four, are summed at a time (qmcu_conv2d_plain_dot.h). Columns that are longer than the
 * stack's words go through them in parts.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_plain_columns.h"
#include "qmcu_conv2d_plain_dot.h"
#include "qmcu_conv2d_plain_eights.h"
#include "qmcu_conv2d_plain_write.h"

#if QMCU_PLAIN

#include "qmcu_conv2d_plain_eights_armv6m.h"

/* Words of columns on the stack, a multiple of 16. */
#define COLUMN_WORDS (QMCU_COLUMN_BYTES / 64u * 16u)

/* Sums that are kept while columns go through the words in parts: of 32 channels for four pixels, or of 128 for one. */
#define TILE_SUMS 128

/* Codes of the columns of eight pixels that come in parts: the rest of the words is for sums. */
#define EIGHT_PART (COLUMN_WORDS >= 64u ? COLUMN_WORDS / 32u * 4u : 4u)

/* Products whose sum fits in half a word with which eight pixels at a time pay. */
#define LEAST_RUN 8u

/* Pixels with which eight at a time pay, some of them twice. */
#define LEAST_OF_EIGHT 3

/* Columns, and rows of weights that they are multiplied with. */
typedef struct {
    const int32_t *x;
    const uint8_t *w;
    uint32_t n;          /* codes */
    uint32_t pair_bytes; /* from one pair of rows to the next */
    int32_t rows;
    int first;       /* the sums begin with 0, and not with what they are */
    uint32_t period; /* products whose sum fits in half a word */
} product;

/* Adds products to sums of all rows: those of a row for four pixels lie together, or that for one. */
typedef void product_function(const product *p, int32_t *sums);

/* Likewise for eight pixels. */
typedef void eights_function(const qmcu_plain_eights *e);

/* What every pixel of one call needs. */
typedef struct {
    qmcu_plain_columns columns;
    const uint8_t *weights;
    const qmcu_map *out;
    const qmcu_requant *requant;
    uint32_t length;      /* of a column */
    int32_t out_channels; /* per group */
    uint32_t pair_bytes;  /* of the weights of two output channels */
    uint32_t weight_bits;
    uint32_t step;   /* words from one code of four pixels to the next: 4, or 2 where two pixels share a word */
    uint32_t period; /* products whose sum fits in half a word, whatever the weights are */
    uint32_t run;    /* and with these weights */
    int negative;    /* 1: columns of four pixels hold the codes times -1 */
    product_function *by_pairs; /* for four pixels */
    product_function *by_fours; /* for one */
    eights_function *by_eights; /* for eight, or NULL */
    qmcu_plain_write *write;
} convolution;

/* The pixels of one unroll: where their windows begin, and where their codes go. */
typedef struct {
    qmcu_plain_outputs out;
    uint8_t *to_others[4]; /* of pixels 4 ... 7 */
    int32_t y[8];
    int32_t x[8];
} block;

#define BY_PAIRS(name, function, weight_bits)                     \
    QMCU_KERNEL static void name(const product *p, int32_t *sums) \
    {                                                             \
        static const qmcu_sums none = {0, 0, 0, 0, 0, 0, 0, 0};   \
        qmcu_sums *to = (qmcu_sums *)(void *)sums;                \
        const uint8_t *w = p->w;                                  \
        for (int32_t rows = p->rows; rows > 0; rows -= 2) {       \
            qmcu_sums s = p->first ? none : *to;                  \
            function(weight_bits, &s, p->x, w, p->n, p->period);  \
            *to++ = s;                                            \
            w += p->pair_bytes;                                   \
        }                                                         \
    }

#if QMCU_PLAIN_ARMV6M
BY_PAIRS(pairs_lanes_w8, qmcu_plain_by_small, 8u)
#else
BY_PAIRS(pairs_lanes_w8, qmcu_plain_by_lanes, 8u)
#endif
BY_PAIRS(pairs_lanes_w4, qmcu_plain_by_lanes, 4u)
#if !QMCU_PLAIN_LANES
BY_PAIRS(pairs_words_w8, qmcu_plain_by_words, 8u)
BY_PAIRS(pairs_words_w4, qmcu_plain_by_words, 4u)
#elif QMCU_PLAIN_ARMV6M
BY_PAIRS(pairs_signed, qmcu_plain_by_signed, 8u)
BY_PAIRS(pairs_unsigned, qmcu_plain_by_unsigned, 8u)
#endif

QMCU_INLINE void by_rows(uint32_t weight_bits, qmcu_plain_rows *s, const int32_t *x, const uint8_t *w, const uint8_t *v,
                         uint32_t n)
{
#if QMCU_PLAIN_ARMV6M
    if (weight_bits == 8u && n >= 16u && (((uintptr_t)w | (uintptr_t)v) & 3u) == 0u) {
        const uint32_t whole = n & ~15u;
        qmcu_plain_four_rows(x, w, v, whole, &s->r0);
        x += whole;
        w += 2u * whole;
        v += 2u * whole;
        n -= whole;
    }
#endif
    qmcu_plain_by_rows(weight_bits, s, x, w, v, n);
}

#define BY_FOURS(name, weight_bits)                               \
    QMCU_KERNEL static void name(const product *p, int32_t *sums) \
    {                                                             \
        static const qmcu_plain_rows none = {0, 0, 0, 0};         \
        qmcu_plain_rows *to = (qmcu_plain_rows *)(void *)sums;    \
        const uint8_t *w = p->w;                                  \
        for (int32_t rows = p->rows; rows > 0; rows -= 4) {       \
            const uint8_t *v = rows > 2 ? w + p->pair_bytes : w;  \
            qmcu_plain_rows s = p->first ? none : *to;            \
            by_rows(weight_bits, &s, p->x, w, v, p->n);           \
            *to++ = s;                                            \
            w += 2u * p->pair_bytes;                              \
        }                                                         \
    }

BY_FOURS(fours_w8, 8u)
BY_FOURS(fours_w4, 4u)

#if QMCU_PLAIN_ARMV6M
#define EIGHT_ROWS qmcu_plain_eight_rows_armv6m
#else
#define EIGHT_ROWS qmcu_plain_eight_rows
#endif
#define BY_EIGHTS(name, weight_bits)                         \
    QMCU_KERNEL static void name(const qmcu_plain_eights *e) \
    {                                                        \
        EIGHT_ROWS(weight_bits, e);                          \
    }

BY_EIGHTS(eights_w8, 8u)
BY_EIGHTS(eights_w4, 4u)

/* How many products of the largest code and weight fit in half a word: 1, or a multiple of 4. */
static uint32_t period_of(uint32_t format, uint32_t weight_bits)
{
    static const uint8_t largest[6] = {3u, 2u, 15u, 8u, 255u, 128u};
    const uint32_t n = 32767u / (largest[format] * (weight_bits == 8u ? 128u : 8u));
    return n < 4u ? 1u : n & ~3u;
}

static void choose(convolution *conv)
{
    const int narrow = conv->weight_bits == 4u;
    conv->period = period_of(conv->columns.in->format, conv->weight_bits);
    conv->run = conv->run > conv->period ? conv->run : conv->period;
    conv->by_eights = conv->run >= LEAST_RUN ? narrow ? eights_w4 : eights_w8 : NULL;
    conv->step = 2u;
    conv->negative = 0;
    conv->by_pairs = narrow ? pairs_lanes_w4 : pairs_lanes_w8;
    conv->by_fours = narrow ? fours_w4 : fours_w8;
#if !QMCU_PLAIN_LANES
    /* Two pixels to a word pay where their sums need not be taken apart often. */
    if (conv->period < 64u) {
        conv->step = 4u;
        conv->by_pairs = narrow ? pairs_words_w4 : pairs_words_w8;
    }
#elif QMCU_PLAIN_ARMV6M
    if (conv->period == 1u) {
        conv->negative = conv->columns.in->format == QMCU_S8;
        conv->by_pairs = conv->negative ? pairs_signed : pairs_unsigned;
    }
#endif
}

/* Puts codes [from, to) of the block's columns into words. */
static void gather(const convolution *conv, int32_t *words, const block *b, uint32_t g, uint32_t from, uint32_t to)
{
    if (b->out.pixels == 1u) {
        const qmcu_plain_part t = {words, 1u, 1, from, to};
        qmcu_plain_gather(&conv->columns, b->y[0], b->x[0], g, &t);
        return;
    }
    for (uint32_t p = 0u; p < 4u; p++) {
        const int32_t sign = conv->negative ? -1 : 1;
        const qmcu_plain_part t = {words + p * conv->step / 4u, conv->step,
                                   conv->step == 2u && p % 2u != 0u ? 65536 * sign : sign, from, to};
        qmcu_plain_gather(&conv->columns, b->y[p], b->x[p], g, &t);
    }
}

/* The same for eight pixels. */
static void gather_eight(const convolution *conv, int32_t *words, const block *b, uint32_t g, uint32_t from,
                         uint32_t to)
{
    for (uint32_t p = 0u; p < 8u; p += 2u) {
        const qmcu_plain_part t = {words + p / 2u, 4u, 1, from, to};
        qmcu_plain_gather_two(&conv->columns, b->y + p, b->x + p, g, &t);
    }
}

/* All output channels of group g for a block of eight pixels. The words are those of columns and sums. */
static void convolve_eight(const convolution *conv, int32_t *words, const block *b, uint32_t g)
{
    const uint32_t whole = conv->length * 4u <= COLUMN_WORDS;
    const uint32_t longest = whole ? conv->length : EIGHT_PART;
    int32_t *sums = words + 4u * longest;
    const int32_t tile = (int32_t)((COLUMN_WORDS + TILE_SUMS - 4u * longest) / 16u * 2u);
    const int32_t end = ((int32_t)g + 1) * conv->out_channels;
    const uint8_t *weights = conv->weights + g * (uint32_t)((conv->out_channels + 1) / 2) * conv->pair_bytes;
    qmcu_plain_outputs others = b->out;
    for (uint32_t p = 0u; p < 4u; p++) {
        others.to[p] = b->to_others[p];
    }
    for (int32_t first = end - conv->out_channels; first < end; first += tile) {
        const int32_t count = qmcu_min(tile, end - first);
        const int32_t pairs = (count + 1) / 2;
        for (uint32_t from = 0u; from < conv->length; from += longest) {
            const uint32_t n = conv->length - from < longest ? conv->length - from : longest;
            const qmcu_plain_eights e = {words,      weights + from * conv->weight_bits / 4u,
                                         sums,       8u * (uint32_t)pairs,
                                         from == 0u, n,
                                         conv->run,  conv->pair_bytes,
                                         pairs};
            if (first == end - conv->out_channels || !whole) {
                gather_eight(conv, words, b, g, from, from + n);
            }
            conv->by_eights(&e);
        }
        conv->write(&b->out, sums, first, count);
        conv->write(&others, sums + 8 * pairs, first, count);
        weights += (uint32_t)(tile / 2) * conv->pair_bytes;
    }
}

/* All output channels of group g for a block. */
static void convolve_block(const convolution *conv, int32_t *words, const block *b, uint32_t g)
{
    int32_t *sums = words + COLUMN_WORDS;
    const uint32_t step = b->out.pixels == 1u ? 1u : conv->step;
    const uint32_t longest = COLUMN_WORDS / step;
    const int32_t tile = TILE_SUMS / (int32_t)b->out.pixels;
    const int32_t end = ((int32_t)g + 1) * conv->out_channels;
    const uint8_t *weights = conv->weights + g * (uint32_t)((conv->out_channels + 1) / 2) * conv->pair_bytes;
    for (int32_t first = end - conv->out_channels; first < end; first += tile) {
        const int32_t count = qmcu_min(tile, end - first);
        for (uint32_t from = 0u; from < conv->length; from += longest) {
            const uint32_t n = conv->length - from < longest ? conv->length - from : longest;
            const product p = {
                words, weights + from * conv->weight_bits / 4u, n, conv->pair_bytes, count, from == 0u, conv->period};
            if (first == end - conv->out_channels || conv->length > longest) {
                gather(conv, words, b, g, from, from + n);
            }
            (b->out.pixels == 4u ? conv->by_pairs : conv->by_fours)(&p, sums);
        }
        conv->write(&b->out, sums, first, count);
        weights += (uint32_t)(tile / 2) * conv->pair_bytes;
    }
}

/* Where output pixel p of a block goes. */
static uint8_t **place_of(block *b, int32_t p)
{
    return p < 4 ? b->out.to + p : b->to_others + (p - 4);
}

/* A block of fewer than eight pixels: the last one again, to the same place. */
static void fill_eight(block *b, int32_t pixels)
{
    for (int32_t p = pixels; p < 8; p++) {
        b->y[p] = b->y[p - 1];
        b->x[p] = b->x[p - 1];
        *place_of(b, p) = *place_of(b, p - 1);
    }
}

/* The pixels oy, ox ... oy, ox + count - 1 of the output, going on in the next rows. */
static void convolve_pixels(const convolution *conv, int32_t oy, int32_t ox, int32_t count, int32_t groups)
{
    QMCU_ALIGN(8) int32_t words[COLUMN_WORDS + TILE_SUMS];
    const qmcu_window *window = conv->columns.window;
    while (count > 0) {
        block b;
        b.out.requant = conv->requant;
        b.out.bits = qmcu_bits(conv->out->format);
        const int eight = conv->by_eights != NULL && count >= LEAST_OF_EIGHT;
        const int32_t pixels = eight ? qmcu_min(count, 8) : count >= 4 ? 4 : 1;
        b.out.pixels = pixels >= LEAST_OF_EIGHT ? 4u : 1u;
        count -= pixels;
        for (int32_t p = 0; p < pixels; p++) {
            b.y[p] = oy * window->stride_h - window->pad_top;
            b.x[p] = ox * window->stride_w - window->pad_left;
            *place_of(&b, p) = qmcu_at(conv->out, oy, ox, 0);
            ox++;
            if (ox == conv->out->w) {
                ox = 0;
                oy++;
            }
        }
        if (eight) {
            fill_eight(&b, pixels);
        }
        for (int32_t g = 0; g < groups; g++) {
            (eight ? convolve_eight : convolve_block)(conv, words, &b, (uint32_t)g);
        }
    }
}

/* Whether no byte of one map is one of the other. */
static int are_apart(const qmcu_map *a, const qmcu_map *b)
{
    const uintptr_t a_first = (uintptr_t)a->data;
    const uintptr_t b_first = (uintptr_t)b->data;
    return a_first + (uintptr_t)(a->h * a->row_bytes) <= b_first ||
           b_first + (uintptr_t)(b->h * b->row_bytes) <= a_first;
}

static void convolve(convolution *conv, const qmcu_requant *requant, int32_t groups)
{
    const qmcu_map *in = conv->columns.in;
    conv->requant = requant;
    conv->write = qmcu_plain_write_of(requant, conv->out->format);
    conv->pair_bytes = 2u * conv->length * conv->weight_bits / 8u;
    conv->columns.dense = groups == 1 && conv->columns.window->dilation_w == 1 && qmcu_is_dense(in);
    conv->columns.runs = groups == 1 && (conv->columns.dense || conv->columns.window->kernel_w == 1);
    choose(conv);
    /* In one place, a block that reached into the next row would write there before later groups or parts have read the
     * rows that only this one needs. */
    if (groups == 1 && (conv->length <= COLUMN_WORDS / 4u || are_apart(in, conv->out))) {
        convolve_pixels(conv, 0, 0, conv->out->h * conv->out->w, 1);
        return;
    }
    for (int32_t oy = 0; oy < conv->out->h; oy++) {
        convolve_pixels(conv, oy, 0, conv->out->w, groups);
    }
}

QMCU_KERNEL void qmcu_conv2d(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    convolution conv;
    conv.columns.window = &params->window;
    conv.columns.in = in;
    conv.columns.pad_codes = params->pad_codes;
    conv.columns.in_channels = (uint32_t)(in->channels / params->group);
    conv.weights = params->weights;
    conv.out = out;
    conv.length = (uint32_t)(params->window.kernel_h * params->window.kernel_w) * conv.columns.in_channels;
    conv.out_channels = out->channels / params->group;
    conv.weight_bits = params->weight_bits;
    conv.run = params->run;
    convolve(&conv, &params->requant, params->group);
}

QMCU_KERNEL void qmcu_fully_connected(const qmcu_fully_connected_params *params, const qmcu_map *in,
                                      const qmcu_map *out)
{
    const qmcu_window window = {(int16_t)in->h, (int16_t)in->w, 1, 1, 1, 1, 0, 0};
    convolution conv;
    conv.columns.window = &window;
    conv.columns.in = in;
    conv.columns.pad_codes = NULL;
    conv.columns.in_channels = (uint32_t)in->channels;
    conv.weights = params->weights;
    conv.out = out;
    conv.length = (uint32_t)(in->h * in->w * in->channels);
    conv.out_channels = out->channels;
    conv.weight_bits = params->weight_bits;
    conv.run = 0u;
    convolve(&conv, &params->requant, 1);
}

#endif /* QMCU_PLAIN */
