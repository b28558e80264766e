/*
 * QuantMCU runtime: weights and scales of two channels of a depthwise convolution as qmcu_depthwise2d_dsp_channels.h
 * and qmcu_depthwise2d_dsp_polynomial.h read them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_depthwise2d_dsp.h"

#if QMCU_DSP

/* The weights of both channels for one tap. */
QMCU_INLINE uint32_t weights_load_pair(uint32_t bits, const uint8_t *p)
{
    return bits == 8u ? qmcu_load_half(p) : (uint32_t)*p;
}

/* The pairs of two taps, as unsigned numbers: those a shift leaves in their halves. */
QMCU_INLINE uint32_t pairs_of(uint32_t bits, uint32_t first, uint32_t second)
{
    return (first | second << 16) ^ (bits == 8u ? 0x80808080u : 0x00880088u);
}

/* Weights of the first channel, or the second, of two taps, times 2^fold. */
QMCU_INLINE uint32_t weights_channel_of(uint32_t bits, uint32_t fold, uint32_t second, uint32_t pairs)
{
    const uint32_t codes = bits == 8u ? (second ? qmcu_uxtb16_ror8(pairs) : qmcu_uxtb16(pairs))
                                      : (second ? pairs >> 4 : pairs) & 0x000f000fu;
    return qmcu_ssub16(codes << fold, (0x00010001u << (bits - 1u)) << fold);
}

/* A row of three taps: words (0, 1) and (1, 2), or as qmcu_depthwise2d_dsp_polynomial.h reads them. */
QMCU_INLINE void put_three(uint32_t polynomial, uint32_t first, uint32_t second, uint32_t *to)
{
    if (polynomial != 0u) {
        qmcu_store_two(to, 0u, (uint32_t)((int32_t)second >> 16) + (second << 16),
                       (uint32_t)(int32_t)(int16_t)(first & 0xffffu));
    } else {
        qmcu_store_two(to, 0u, first, second);
    }
}

/* The taps of a 3 x 3 kernel, whose first weights of both channels are at w. Inlined with constant bits. */
QMCU_INLINE void put_taps_3_of(uint32_t bits, uint32_t polynomial, uint32_t fold, const uint8_t *w, uint32_t next,
                               qmcu_row_weights *k)
{
    for (uint32_t i = 0u; i < 3u; i++) {
        const uint32_t middle = weights_load_pair(bits, w + next);
        const uint32_t first = pairs_of(bits, weights_load_pair(bits, w), middle);
        const uint32_t second = pairs_of(bits, middle, weights_load_pair(bits, w + 2u * next));
        put_three(polynomial, weights_channel_of(bits, fold, 0u, first), weights_channel_of(bits, fold, 0u, second),
                  k[0].taps + QMCU_ROW_TAP_WORDS(3u) * i);
        put_three(polynomial, weights_channel_of(bits, fold, 1u, first), weights_channel_of(bits, fold, 1u, second),
                  k[1].taps + QMCU_ROW_TAP_WORDS(3u) * i);
        w += 3u * next;
    }
}

/* The same: each row in turn, in whichever way. */
static QMCU_SMALL QMCU_NOINLINE void put_taps_3(uint32_t bits, uint32_t polynomial, uint32_t fold, const uint8_t *w,
                                                uint32_t next, qmcu_row_weights *k)
{
    if (QMCU_ARE_BYTES(QMCU_DEPTHWISE2D_WEIGHTS, bits)) {
        put_taps_3_of(8u, polynomial, fold, w, next, k);
    } else {
        put_taps_3_of(4u, polynomial, fold, w, next, k);
    }
}

/* The taps of a 5 x 5 kernel: words (0, 1), (2, 3), (1, 2), (3, 4). */
static void put_taps_5(uint32_t bits, uint32_t fold, const uint8_t *w, uint32_t next, qmcu_row_weights *k)
{
    static const uint8_t places[4] = {0u, 2u, 1u, 3u};
    uint32_t *a = k[0].taps;
    uint32_t *b = k[1].taps;
    for (uint32_t i = 0u; i < 5u; i++) {
        uint32_t last = weights_load_pair(bits, w);
        for (uint32_t j = 0u; j < 4u; j++) {
            w += next;
            const uint32_t pair = weights_load_pair(bits, w);
            a[places[j]] = weights_channel_of(bits, fold, 0u, pairs_of(bits, last, pair));
            b[places[j]] = weights_channel_of(bits, fold, 1u, pairs_of(bits, last, pair));
            last = pair;
        }
        w += next;
        a += QMCU_ROW_TAP_WORDS(5u);
        b += QMCU_ROW_TAP_WORDS(5u);
    }
}

/*
 * Subtracts from both channels' biases what unsigned codes have more than signed ones, times the sums of weights.
 * Modulo 2^32, as the sums of products: only what they add up to stays in range.
 */
static void take_off(uint32_t bits, uint32_t taps, uint32_t flip, const uint8_t *w, uint32_t next, uint32_t bias[2])
{
    int32_t first = 0;
    int32_t second = 0;
    for (; taps > 0u; taps--) {
        const uint32_t pair = weights_load_pair(bits, w);
        first += qmcu_shift_left((int32_t)pair, 32u - bits) >> (32u - bits);
        second += qmcu_shift_left((int32_t)pair, 32u - 2u * bits) >> (32u - bits);
        w += next;
    }
    bias[0] -= flip * (uint32_t)first;
    bias[1] -= flip * (uint32_t)second;
}

/* How far both channels' upper bounds are below the largest code. Signed codes have no bounds. */
QMCU_INLINE void put_bounds(const qmcu_row_shape *shape, const qmcu_requant *r, int32_t c, qmcu_row_weights *k)
{
    if (shape->bounded == 0u) {
        k[0].above = 0u;
        k[1].above = 0u;
        return;
    }
    const int32_t largest = (int32_t)((1u << qmcu_bits(shape->format)) - 1u);
    k[0].above = (uint32_t)(largest - (r->max_table != NULL ? r->max_table[c] : r->max));
    k[1].above = (uint32_t)(largest - (r->max_table != NULL ? r->max_table[c + 1] : r->max));
}

/* Where 2-bit codes of both channels stand. The last two write the rest of their byte, too. */
static void put_places(int32_t channels, int32_t c, qmcu_row_weights *k)
{
    const uint32_t place = 2u * ((uint32_t)c & 3u);
    const uint32_t others = place == 0u && c + 2 == channels ? 0u : 0xffu;
    k[0].place = place;
    k[0].keep = others & ~(3u << place);
    k[1].place = place + 2u;
    k[1].keep = (others & ~(12u << place)) | 3u << place;
}

/* A bias and a multiplier as qmcu_depthwise2d_dsp_polynomial.h needs them, at the channel's `above`. */
QMCU_INLINE void put_polynomial(uint32_t shift, int32_t bias, int32_t multiplier, qmcu_row_weights *k)
{
    const int32_t steps = (bias + (1 << (QMCU_POLY_STEP_BITS - 1))) >> QMCU_POLY_STEP_BITS;
    const uint32_t rest = (uint32_t)bias - (uint32_t)qmcu_shift_left(steps, QMCU_POLY_STEP_BITS);
    const uint32_t even = (uint32_t)multiplier & ((steps & 1) != 0 ? ~1u : ~0u);
    /* steps * multiplier / 2 */
    const uint32_t product = (uint32_t)steps * (even >> 1) + (uint32_t)(steps >> 1) * (even & 1u);
    k->bias = (int32_t)(rest * 0x00010001u + QMCU_POLY_HALVES);
    k->multiplier = (int32_t)even;
    k->round = (int32_t)((1u << (shift - 1u)) + (k->above << shift) + product);
}

/* The same for qmcu_depthwise2d_dsp_channels.h. |mulhi| <= 2^30, and 255 << 22 leaves the sum in 32 bits. */
QMCU_INLINE void put_row(uint32_t shift, uint32_t bias, int32_t multiplier, qmcu_row_weights *k)
{
    k->bias = (int32_t)bias;
    k->multiplier = multiplier;
    k->round = (int32_t)((1u << (shift - 1u)) + (k->above << shift));
}

QMCU_SMALL void qmcu_row_prepare(const qmcu_row_shape *shape, const qmcu_depthwise2d_params *params, uint32_t flip,
                                 int32_t channels, int32_t c, qmcu_row_weights *k)
{
    const qmcu_requant *r = &params->requant;
    const uint32_t bits = QMCU_DEPTHWISE2D_WEIGHTS == 2u ? 8u : params->weight_bits;
    const uint32_t row_bytes = qmcu_weight_row_bytes((uint32_t)channels, bits);
    const uint8_t *w = (const uint8_t *)params->weights + (uint32_t)c * bits / 8u;
    const uint32_t fold = QMCU_ROW_FOLDED(r->pre_shift);
    QMCU_ASSUME((QMCU_DEPTHWISE2D_PLANES & (shape->polynomial != 0u ? 4u : shape->kernel == 5u ? 2u : 1u)) != 0u);
    uint32_t bias[2] = {(uint32_t)qmcu_shift_bias(r->bias[c], r->bias_shift),
                        (uint32_t)qmcu_shift_bias(r->bias[c + 1], r->bias_shift)};
    if (flip != 0u) {
        take_off(bits, shape->kernel * shape->kernel, flip, w, row_bytes, bias);
    }
    put_bounds(shape, r, c, k);
    put_places(channels, c, k);
    if (shape->polynomial != 0u) {
        const uint32_t shift = QMCU_POLY_SHIFT(shape->shift, shape->pre_shift);
        for (uint32_t i = 0u; i < 2u; i++) {
            put_polynomial(shift, (int32_t)bias[i], r->multiplier[(uint32_t)c + i], &k[i]);
        }
        put_taps_3(bits, 1u, 0u, w, row_bytes, k);
        return;
    }
    put_row(shape->shift, bias[0] << fold, r->multiplier[c], &k[0]);
    put_row(shape->shift, bias[1] << fold, r->multiplier[c + 1], &k[1]);
    if ((QMCU_DEPTHWISE2D_PLANES & 2u) != 0u && shape->kernel == 5u) {
        put_taps_5(bits, fold, w, row_bytes, k);
    } else {
        put_taps_3(bits, 0u, fold, w, row_bytes, k);
    }
}

QMCU_SMALL void qmcu_row_unrolled(const qmcu_row_shape *shape, qmcu_row_weights *k)
{
    const uint32_t words = QMCU_ROW_TAP_WORDS(shape->kernel);
    const uint32_t all = shape->kernel * words;
    for (uint32_t i = 0u; i < 2u; i++) {
        uint32_t taps[QMCU_ROW_LARGEST_KERNEL * QMCU_ROW_TAP_WORDS(QMCU_ROW_LARGEST_KERNEL)];
        uint32_t to = shape->stride * words;
        for (uint32_t from = 0u; from < all; from += 2u) {
            taps[to] = k[i].taps[from];
            taps[to + 1u] = k[i].taps[from + 1u];
            to = to + 2u == all ? 0u : to + 2u;
        }
        for (uint32_t j = 0u; j < all; j += 2u) {
            k[i].taps[j] = taps[j];
            k[i].taps[j + 1u] = taps[j + 1u];
        }
    }
}

#endif /* QMCU_DSP */
