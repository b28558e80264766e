/*
 * QuantMCU runtime: fully connected layers with two rows of 8-bit weights in the same 16-bit numbers.
 *
 * 256 * a + b stands for the weights a and b of two rows at the same place. The products of such numbers sum up to 256
 * times the sum of the first row plus that of the second, modulo 2^32; their low bytes, b with its sign, give the sum
 * of the second. So each word of weights serves four products with two multiplications and one instruction to take out
 * the low bytes, and the words need not be unpacked. The sum of the first row fits 24 bits, which the generator checks.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_columns.h"
#include "qmcu_requantize.h"

/* Rows that are summed together: two pairs. */
#define ROWS 4

/* Codes are padded with zeros to a multiple of this. */
#define UNIT 4u

#if QMCU_DSP

/* 16-bit numbers on the stack, and rows whose sums are kept where the codes come in parts. */
#define CODES         (QMCU_COLUMN_BYTES / 2u / 8u * 8u)
#define ROWS_IN_PARTS 64

/* Of the pairs' numbers, and of their second rows. */
typedef struct {
    int32_t both0;
    int32_t second0;
    int32_t both1;
    int32_t second1;
} sums4;

typedef struct {
    const qmcu_fully_connected_params *params;
    const qmcu_map *in;
    uint32_t length; /* codes */
    uint32_t padded;
    int32_t channels;
} twins_layer;

/* Two codes times two weights of four rows. */
QMCU_INLINE void add_word(sums4 *s, uint32_t x, const int16_t *w, uint32_t step)
{
    const qmcu_words weights = qmcu_load_two(w, 8u * step);
    s->both0 = qmcu_smlad(x, weights.first, s->both0);
    s->second0 = qmcu_smlad(x, qmcu_sxtb16(weights.first), s->second0);
    s->both1 = qmcu_smlad(x, weights.second, s->both1);
    s->second1 = qmcu_smlad(x, qmcu_sxtb16(weights.second), s->second1);
}

/* Four codes of them. */
QMCU_INLINE void add_four(sums4 *s, const int16_t *x, const int16_t *w, uint32_t step)
{
    const qmcu_words codes = qmcu_load_two(x, 8u * step);
    add_word(s, codes.first, w, 2u * step);
    add_word(s, codes.second, w, 2u * step + 1u);
}

/* n codes, a multiple of UNIT. */
static sums4 add_codes(sums4 s, const int16_t *x, const int16_t *w, uint32_t n)
{
    for (const int16_t *end = x + n / 16u * 16u; x != end; x += 16) {
        add_four(&s, x, w, 0u);
        add_four(&s, x, w, 1u);
        add_four(&s, x, w, 2u);
        add_four(&s, x, w, 3u);
        w += 32;
    }
    for (uint32_t rest = n % 16u; rest > 0u; rest -= UNIT) {
        add_four(&s, x, w, 0u);
        x += 4;
        w += 8;
    }
    return s;
}

/* Codes [from, to) of the input as 16-bit numbers, and zeros to the next multiple of UNIT. */
static void twins_gather(const qmcu_map *in, uint32_t from, uint32_t to, int16_t *x)
{
    const int dense = qmcu_is_dense(in);
    const int32_t runs = dense ? 1 : in->w;
    const uint32_t n = (uint32_t)(dense ? in->w * in->channels : in->channels);
    uint32_t first = 0u;
    for (int32_t y = 0; y < in->h; y++) {
        for (int32_t i = 0; i < runs; i++) {
            const uint32_t begin = first > from ? first : from;
            const uint32_t end = first + n < to ? first + n : to;
            if (begin < end) {
                qmcu_expand(qmcu_at(in, y, i, 0), in->format, begin - first, end - begin, x, 2u, begin - from);
            }
            first += n;
        }
    }
    for (uint32_t k = to - from; k % UNIT != 0u; k++) {
        x[k] = 0;
    }
}

/* The code of a row; without the bits of a negative one above the format's. */
static int32_t twins_code_of(const qmcu_scale *scale, int32_t o, int32_t sum)
{
    const int32_t acc = sum + qmcu_bias(scale->requant, o);
    const int32_t multiplier = scale->requant->multiplier[o];
    if (scale->saturate != 0u) {
        return (int32_t)(qmcu_scale_saturated(scale, scale->saturate, multiplier, acc) ^ scale->flip);
    }
    return qmcu_scale_acc(scale, multiplier, qmcu_scale_max(scale, o), acc);
}

static void write_rows(const qmcu_scale *scale, int32_t o, int32_t channels, const sums4 *s, qmcu_writer *writer)
{
    const int32_t sums[ROWS] = {
        (int32_t)((uint32_t)s->both0 - (uint32_t)s->second0) >> 8,
        s->second0,
        (int32_t)((uint32_t)s->both1 - (uint32_t)s->second1) >> 8,
        s->second1,
    };
    for (int32_t i = 0; i < ROWS && o + i < channels; i++) {
        qmcu_write(writer, twins_code_of(scale, o + i, sums[i]));
    }
}

/* Rows [first, end), whose sums find room in `sums` where there are several parts. */
static void connect(const twins_layer *l, const qmcu_scale *scale, int32_t first, int32_t end, int16_t *codes,
                    qmcu_writer *writer)
{
    sums4 sums[ROWS_IN_PARTS / ROWS];
    const int parts = l->length > CODES;
    for (uint32_t from = 0u; from < l->padded; from += CODES) {
        const uint32_t n = l->padded - from < CODES ? l->padded - from : CODES;
        const int16_t *w = l->params->weights;
        w += (uint32_t)first / 2u * l->padded + ROWS / 2 * from;
        if (parts) {
            twins_gather(l->in, from, from + n < l->length ? from + n : l->length, codes);
        }
        for (int32_t o = first; o < end; o += ROWS) {
            const sums4 zeros = {0, 0, 0, 0};
            sums4 s = add_codes(from == 0u ? zeros : sums[(o - first) / ROWS], codes, w, n);
            w += ROWS / 2 * l->padded;
            if (from + n == l->padded) {
                write_rows(scale, o, l->channels, &s, writer);
            } else {
                sums[(o - first) / ROWS] = s;
            }
        }
    }
}

QMCU_KERNEL void qmcu_fully_connected_twins(const qmcu_fully_connected_params *params, const qmcu_map *in,
                                            const qmcu_map *out)
{
    QMCU_ALIGN(8) int16_t codes[CODES];
    const qmcu_scale scale = qmcu_scale_of(&params->requant, out->format);
    const uint32_t length = (uint32_t)(in->h * in->w * in->channels);
    const twins_layer l = {params, in, length, (length + UNIT - 1u) / UNIT * UNIT, out->channels};
    qmcu_writer writer = qmcu_write_pixel(out->data, out->format);
    if (length <= CODES) {
        twins_gather(in, 0u, length, codes);
        connect(&l, &scale, 0, out->channels, codes, &writer);
    } else {
        for (int32_t o = 0; o < out->channels; o += ROWS_IN_PARTS) {
            connect(&l, &scale, o, qmcu_min(o + ROWS_IN_PARTS, out->channels), codes, &writer);
        }
    }
    qmcu_write_end(&writer);
}

#else

/* In plain C, for any core: right, not fast. */
QMCU_KERNEL void qmcu_fully_connected_twins(const qmcu_fully_connected_params *params, const qmcu_map *in,
                                            const qmcu_map *out)
{
    const int16_t *weights = params->weights;
    const uint32_t length = (uint32_t)(in->h * in->w * in->channels);
    const uint32_t padded = (length + UNIT - 1u) / UNIT * UNIT;
    qmcu_writer writer = qmcu_write_pixel(out->data, out->format);
    for (int32_t o = 0; o < out->channels; o++) {
        const int16_t *w = weights + (uint32_t)(o / ROWS * (ROWS / 2)) * padded + o % ROWS / 2 * 2;
        int32_t sum = 0;
        uint32_t k = 0u;
        for (int32_t y = 0; y < in->h; y++) {
            for (int32_t x = 0; x < in->w; x++) {
                for (int32_t c = 0; c < in->channels; c++) {
                    const int32_t both = w[k / 2u * 4u + k % 2u];
                    const int32_t second = (int8_t)(both & 255);
                    sum += qmcu_code(qmcu_at(in, y, x, 0), (uint32_t)c, in->format) *
                           (o % 2 == 0 ? (both - second) / 256 : second);
                    k++;
                }
            }
        }
        qmcu_write(&writer, qmcu_requantize_acc(&params->requant, o, sum));
    }
    qmcu_write_end(&writer);
}

#endif /* QMCU_DSP */
