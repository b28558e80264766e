/*
 * QuantMCU runtime: sums of two maps.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_dsp.h"

/* Whether the codes of a row of each map follow each other and have the same factors whatever their channels. */
static int adds_alike(const qmcu_scaled_sum *p, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out)
{
    const int one = (in0->h == 1 && in0->w == 1) || (in1->h == 1 && in1->w == 1);
    const int tables = p->multiplier_table[0] != NULL || p->multiplier_table[1] != NULL || p->offset_table != NULL;
    return !one && !tables && qmcu_is_dense(in0) && qmcu_is_dense(in1) && qmcu_is_dense(out);
}

/* Whether all three have so many bits at least. */
QMCU_INLINE int have_bits(uint32_t bits, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out)
{
    return qmcu_bits(in0->format) >= bits && qmcu_bits(in1->format) >= bits && qmcu_bits(out->format) >= bits;
}

#if QMCU_MVE
static int add_rows(const qmcu_scaled_sum *p, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out)
{
    const int32_t n = out->w * out->channels;
    const int bytes = have_bits(8u, in0, in1, out);
    for (int32_t y = 0; y < out->h; y++) {
        const uint8_t *x0 = qmcu_at(in0, y, 0, 0);
        const uint8_t *x1 = qmcu_at(in1, y, 0, 0);
        uint8_t *to = qmcu_at(out, y, 0, 0);
        if (bytes) {
            qmcu_mve_add_bytes(p, x0, in0->format == QMCU_S8, x1, in1->format == QMCU_S8, n, to);
        } else {
            qmcu_mve_add_codes(p, x0, in0->format, x1, in1->format, n, qmcu_bits(out->format), to);
        }
    }
    return 1;
}
#else
#if QMCU_DSP
/* The codes of two maps beside each other times their factors, shifted and saturated. */
QMCU_INLINE int32_t add_pair(const qmcu_scaled_sum *p, uint32_t sign_out, uint32_t factors, uint32_t pair)
{
    const int32_t y = qmcu_smlad_from(pair, factors, p->offset) >> p->shift;
    return sign_out ? qmcu_ssat8(y) : qmcu_usat8(y);
}

/* As many of them as are whole words, where the bounds are those of the format; returns how many. Inlined with constant
 * signs. */
QMCU_INLINE int32_t add_words(const qmcu_scaled_sum *sum, uint32_t sign, const uint8_t *x0, const uint8_t *x1,
                              int32_t n, uint32_t sign_out, uint8_t *to)
{
    const qmcu_scaled_sum p = *sum;
    const uint32_t factors = qmcu_pkh_low((uint32_t)p.multiplier[0], (uint32_t)p.multiplier[1]);
    const int32_t words = n / 4 * 4;
    for (const uint8_t *end = x0 + words; x0 != end; x0 += 4) {
        const uint32_t a = qmcu_load_unaligned(x0);
        const uint32_t b = qmcu_load_unaligned(x1);
        const uint32_t even_a = sign ? qmcu_sxtb16(a) : qmcu_uxtb16(a);
        const uint32_t even_b = sign ? qmcu_sxtb16(b) : qmcu_uxtb16(b);
        const uint32_t odd_a = sign ? qmcu_sxtb16_ror8(a) : qmcu_uxtb16_ror8(a);
        const uint32_t odd_b = sign ? qmcu_sxtb16_ror8(b) : qmcu_uxtb16_ror8(b);
        to[0] = (uint8_t)add_pair(&p, sign_out, factors, qmcu_pkh_low(even_a, even_b));
        to[1] = (uint8_t)add_pair(&p, sign_out, factors, qmcu_pkh_low(odd_a, odd_b));
        to[2] = (uint8_t)add_pair(&p, sign_out, factors, qmcu_pkh_high(even_a, even_b));
        to[3] = (uint8_t)add_pair(&p, sign_out, factors, qmcu_pkh_high(odd_a, odd_b));
        x1 += 4;
        to += 4;
    }
    return words;
}

/* The same for any of these maps: 0 where they are others. */
static QMCU_SMALL int32_t add_whole_words(const qmcu_scaled_sum *p, uint32_t sign0, const uint8_t *x0, uint32_t sign1,
                                          const uint8_t *x1, int32_t n, uint32_t sign_out, uint8_t *to)
{
    const int32_t lowest = sign_out ? -128 : 0;
    if (sign0 != sign1 || p->min != lowest || p->max != lowest + 255) {
        return 0;
    }
    QMCU_ASSUME((QMCU_ADD_INPUTS >> sign0 & 1u) != 0u && (QMCU_ADD_OUTPUTS >> sign_out & 1u) != 0u);
    if (sign_out) {
        return sign0 ? add_words(p, 1u, x0, x1, n, 1u, to) : add_words(p, 0u, x0, x1, n, 1u, to);
    }
    return sign0 ? add_words(p, 1u, x0, x1, n, 0u, to) : add_words(p, 0u, x0, x1, n, 0u, to);
}
#endif

/* Bytes that follow each other, with one factor for all channels. Inlined with constant signs. */
QMCU_INLINE void add_run(const qmcu_scaled_sum *p, uint32_t sign0, const uint8_t *x0, uint32_t sign1, const uint8_t *x1,
                         int32_t n, uint8_t *to)
{
    const int32_t m0 = p->multiplier[0];
    const int32_t m1 = p->multiplier[1];
    const int32_t offset = p->offset;
    const uint32_t shift = p->shift;
    const int32_t min = p->min;
    const int32_t max = p->max;
    for (int32_t i = 0; i < n; i++) {
        to[i] = (uint8_t)qmcu_clamp(
            (qmcu_byte_code(sign0, x0 + i) * m0 + qmcu_byte_code(sign1, x1 + i) * m1 + offset) >> shift, min, max);
    }
}

/* Sums of 8-bit codes, alike. */
static QMCU_SMALL void add_bytes(const qmcu_scaled_sum *p, const qmcu_map *in0, const qmcu_map *in1,
                                 const qmcu_map *out)
{
    const int32_t n = out->w * out->channels;
    for (int32_t y = 0; y < out->h; y++) {
        const uint8_t *x0 = qmcu_at(in0, y, 0, 0);
        const uint8_t *x1 = qmcu_at(in1, y, 0, 0);
        uint8_t *to = qmcu_at(out, y, 0, 0);
#if QMCU_DSP
        const int32_t done = add_whole_words(p, in0->format & 1u, x0, in1->format & 1u, x1, n, out->format & 1u, to);
#else
        const int32_t done = 0;
#endif
        x0 += done;
        x1 += done;
        to += done;
        QMCU_ASSUME((QMCU_ADD_INPUTS >> (in0->format & 1u) & 1u) != 0u &&
                    (QMCU_ADD_INPUTS >> (in1->format & 1u) & 1u) != 0u);
        switch (2u * (in0->format & 1u) + (in1->format & 1u)) {
        case 0u:
            add_run(p, 0u, x0, 0u, x1, n - done, to);
            break;
        case 1u:
            add_run(p, 0u, x0, 1u, x1, n - done, to);
            break;
        case 2u:
            add_run(p, 1u, x0, 0u, x1, n - done, to);
            break;
        default:
            add_run(p, 1u, x0, 1u, x1, n - done, to);
            break;
        }
    }
}

#if QMCU_ADD_NARROW != 0
/* One of two maps that are added: a signed code is an unsigned one with the highest bit inverted, less that bit. */
typedef struct {
    const uint8_t *p;
    uint32_t bits; /* 8 or 4 */
    uint32_t flip;
    uint32_t factor;
} summand;

QMCU_INLINE summand summand_of(const qmcu_map *map, int32_t y, int16_t factor)
{
    const uint32_t flip = (map->format & 1u) == 0u ? 0u : map->format == QMCU_S8 ? 128u : 8u;
    const summand s = {qmcu_at(map, y, 0, 0), qmcu_bits(map->format), flip, (uint32_t)(int32_t)factor};
    return s;
}

/* Adds the products of the next two codes. */
QMCU_INLINE void add_two(summand *s, uint32_t sum[2])
{
    uint32_t first = s->p[0];
    uint32_t second = first >> 4;
    if (s->bits == 8u) {
        second = s->p[1];
        s->p++;
    } else {
        first &= 15u;
    }
    s->p++;
    sum[0] += (first ^ s->flip) * s->factor;
    sum[1] += (second ^ s->flip) * s->factor;
}

#if QMCU_DSP && (QMCU_ADD_NARROW & 4u) != 0
/* Pairs 0 and 4, 2 and 6, 1 and 5, 3 and 7 of the next eight codes, in halves. */
QMCU_INLINE void take_eight(summand *s, uint32_t pairs[4])
{
    const uint32_t of_bytes = s->bits == 8u ? 0x01010101u : 0x11111111u;
    const uint32_t first = qmcu_load_unaligned(s->p) ^ s->flip * of_bytes;
    s->p += 4;
    if (s->bits == 8u) {
        const uint32_t second = qmcu_load_unaligned(s->p) ^ s->flip * of_bytes;
        s->p += 4;
        pairs[0] = qmcu_pkh_low(qmcu_uxtb16(first), qmcu_uxtb16(second));
        pairs[1] = qmcu_pkh_high(qmcu_uxtb16(first), qmcu_uxtb16(second));
        pairs[2] = qmcu_pkh_low(qmcu_uxtb16_ror8(first), qmcu_uxtb16_ror8(second));
        pairs[3] = qmcu_pkh_high(qmcu_uxtb16_ror8(first), qmcu_uxtb16_ror8(second));
        return;
    }
    const uint32_t even = first & 0x0f0f0f0fu;
    const uint32_t odd = first >> 4 & 0x0f0f0f0fu;
    pairs[0] = qmcu_uxtb16(even);
    pairs[1] = qmcu_uxtb16_ror8(even);
    pairs[2] = qmcu_uxtb16(odd);
    pairs[3] = qmcu_uxtb16_ror8(odd);
}

/*
 * Eight sums at a time, saturated to unsigned numbers of `bits` bits, of which signed codes invert the highest. Inlined
 * with constant bits.
 */
QMCU_INLINE void add_eights(uint32_t bits, summand *a, summand *b, uint32_t offset, uint32_t shift, uint32_t flip,
                            int32_t eights, uint8_t *to)
{
    static const uint8_t places[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    const uint32_t factors = qmcu_pkh_low(a->factor, b->factor);
    for (; eights > 0; eights--) {
        uint32_t x[4];
        uint32_t y[4];
        uint32_t words[2] = {flip, flip};
        take_eight(a, x);
        take_eight(b, y);
        for (uint32_t i = 0u; i < 8u; i++) {
            const uint32_t pair =
                i % 2u == 0u ? qmcu_pkh_low(x[i / 2u], y[i / 2u]) : qmcu_pkh_high(x[i / 2u], y[i / 2u]);
            const int32_t sum = qmcu_smlad_from(pair, factors, (int32_t)offset) >> shift;
            const uint32_t code = (uint32_t)(bits == 8u ? qmcu_usat8(sum) : qmcu_usat4(sum));
            const uint32_t place = places[i] * bits;
            words[place / 32u] ^= code << place % 32u;
        }
        qmcu_store_unaligned(to, words[0]);
        if (bits == 8u) {
            qmcu_store_unaligned(to + 4, words[1]);
        }
        to += bits;
    }
}

/* As many of n sums as are whole eights, where the bounds are those of the format; returns how many. */
static int32_t add_whole_eights(const qmcu_scaled_sum *p, summand *a, summand *b, uint32_t offset, uint32_t format,
                                int32_t n, uint8_t *to)
{
    const uint32_t bits = qmcu_bits(format);
    const uint32_t highest = (format & 1u) == 0u ? 0u : 1u << (bits - 1u);
    const uint32_t from = offset + (highest << p->shift);
    const int32_t lowest = -(int32_t)highest;
    if (p->min != lowest || p->max != lowest + (int32_t)(1u << bits) - 1 || p->shift > 22u) {
        return 0;
    }
    QMCU_ASSUME((QMCU_ADD_NARROW & bits / 4u) != 0u);
    if (bits == 8u) {
        add_eights(8u, a, b, from, p->shift, highest * 0x01010101u, n / 8, to);
    } else {
        add_eights(4u, a, b, from, p->shift, highest * 0x11111111u, n / 8, to);
    }
    return n / 8 * 8;
}
#endif

/* Sums of codes of 8 and 4 bits, alike. Where one map has 4 bits, all have an even number of channels. */
static void add_narrow(const qmcu_scaled_sum *p, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out)
{
    const int to_bytes = out->format >= QMCU_U8;
    for (int32_t y = 0; y < out->h; y++) {
        summand a = summand_of(in0, y, p->multiplier[0]);
        summand b = summand_of(in1, y, p->multiplier[1]);
        const uint32_t offset = (uint32_t)p->offset - a.flip * a.factor - b.flip * b.factor;
        uint8_t *to = qmcu_at(out, y, 0, 0);
        int32_t n = out->w * out->channels;
#if QMCU_DSP && (QMCU_ADD_NARROW & 4u) != 0
        const int32_t done = add_whole_eights(p, &a, &b, offset, out->format, n, to);
        to += done * (int32_t)qmcu_bits(out->format) / 8;
        n -= done;
#endif
        for (; n > 0; n -= 2) {
            uint32_t sum[2] = {offset, offset};
            add_two(&a, sum);
            add_two(&b, sum);
            const uint32_t first = (uint32_t)qmcu_clamp((int32_t)sum[0] >> p->shift, p->min, p->max);
            const uint32_t second = (uint32_t)qmcu_clamp((int32_t)sum[1] >> p->shift, p->min, p->max);
            if (to_bytes) {
                to[0] = (uint8_t)first;
                to[1] = (uint8_t)second;
                to++;
            } else {
                to[0] = (uint8_t)((first & 15u) | second << 4);
            }
            to++;
        }
    }
}
#endif

/* 1, or 0 where codes have fewer bits. */
static QMCU_SMALL int add_rows(const qmcu_scaled_sum *p, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out)
{
    if (have_bits(8u, in0, in1, out)) {
        add_bytes(p, in0, in1, out);
        return 1;
    }
#if QMCU_ADD_NARROW != 0
    if (have_bits(4u, in0, in1, out)) {
        add_narrow(p, in0, in1, out);
        return 1;
    }
#endif
    return 0;
}
#endif

QMCU_KERNEL QMCU_SMALL void qmcu_add(const qmcu_scaled_sum *p, const qmcu_map *in0, const qmcu_map *in1,
                                     const qmcu_map *out)
{
    if (adds_alike(p, in0, in1, out) && add_rows(p, in0, in1, out)) {
        return;
    }
    const qmcu_map a = qmcu_broadcast(in0);
    const qmcu_map b = qmcu_broadcast(in1);
    int16_t x0[QMCU_CHUNK];
    int16_t x1[QMCU_CHUNK];
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                qmcu_unpack(qmcu_at(&a, y, x, c), n, a.format, x0);
                qmcu_unpack(qmcu_at(&b, y, x, c), n, b.format, x1);
#if QMCU_MVE
                qmcu_mve_scaled_sum(p, c, n, x0, x1);
#else
                for (int32_t i = 0; i < n; i++) {
                    const int32_t m0 =
                        p->multiplier_table[0] != NULL ? p->multiplier_table[0][c + i] : p->multiplier[0];
                    const int32_t m1 =
                        p->multiplier_table[1] != NULL ? p->multiplier_table[1][c + i] : p->multiplier[1];
                    const int32_t offset = p->offset_table != NULL ? p->offset_table[c + i] : p->offset;
                    x0[i] = (int16_t)qmcu_clamp((x0[i] * m0 + x1[i] * m1 + offset) >> p->shift, p->min, p->max);
                }
#endif
                qmcu_pack(x0, n, out->format, qmcu_at(out, y, x, c));
            }
        }
    }
}
