/*
 * QuantMCU runtime: from sums to codes for cores without DSP and vector instructions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_conv2d_plain_write.h"
#include "qmcu_requantize.h"

#if QMCU_PLAIN

#include "qmcu_conv2d_plain_write_armv6m.h"

/* Writes the code of channel o; channels come upward, so that a byte is begun by its first. */
QMCU_INLINE void write_code(uint8_t *pixel, uint32_t bits, int32_t o, int32_t code)
{
    const uint32_t at = (uint32_t)o * bits;
    const uint32_t value = ((uint32_t)code & ((1u << bits) - 1u)) << (at % 8u);
    uint8_t *p = pixel + at / 8u;
    *p = (uint8_t)(at % 8u == 0u ? value : *p | value);
}

#if QMCU_PLAIN_ARMV6M
/* Scales the sums of four pixels where they are; 0 where that is left to the caller. */
static int scale_sums(const qmcu_requant *r, int32_t *sums, int32_t o, int32_t count)
{
    if (r->bias_shift < 0 || count <= 0) {
        return 0;
    }
    const qmcu_plain_scale s = {r->multiplier + o, r->bias + o, (uint32_t)r->bias_shift,
                                r->pre_shift,      r->shift,    (int32_t)(1u << (r->shift - 1u))};
    qmcu_plain_scale_sums(sums, count, &s);
    return 1;
}

/* Codes of 8 bits from scaled sums of four pixels, all codes being possible. */
QMCU_INLINE void write_scaled(int is_signed, const qmcu_plain_outputs *t, const int32_t *sums, int32_t o, int32_t count)
{
    uint8_t *const to0 = t->to[0];
    uint8_t *const to1 = t->to[1];
    uint8_t *const to2 = t->to[2];
    uint8_t *const to3 = t->to[3];
    for (const int32_t end = o + count; o < end; o++) {
        to0[o] = (uint8_t)qmcu_plain_saturate(is_signed, sums[0]);
        to1[o] = (uint8_t)qmcu_plain_saturate(is_signed, sums[1]);
        to2[o] = (uint8_t)qmcu_plain_saturate(is_signed, sums[2]);
        to3[o] = (uint8_t)qmcu_plain_saturate(is_signed, sums[3]);
        sums += 4;
    }
}
#endif

/* Any codes. */
static void write_codes(const qmcu_plain_outputs *t, int32_t *sums, int32_t o, int32_t count)
{
    const qmcu_requant *r = t->requant;
    const uint32_t bits = t->bits;
    const int32_t round = (int32_t)(1u << (r->shift - 1u));
    for (const int32_t end = o + count; o < end; o++) {
        const int32_t multiplier = r->multiplier[o];
        const int32_t max = r->max_table != NULL ? r->max_table[o] : r->max;
        const int32_t bias = qmcu_bias(r, o);
        for (uint32_t p = 0u; p < t->pixels; p++) {
            const int32_t y =
                (qmcu_mulhi(qmcu_shift_left(*sums++ + bias, r->pre_shift), multiplier) + round) >> r->shift;
            write_code(t->to[p], bits, o, qmcu_clamp(y, r->min, max));
        }
    }
}

/* What channels need to become codes. */
typedef struct {
    uint32_t pre_shift;
    uint32_t shift;
    int32_t round;
} scaling;

/* Code of an accumulator, all codes of 8 bits being possible. */
QMCU_INLINE uint8_t byte_of(int is_signed, const scaling *s, int32_t multiplier, int32_t acc)
{
    const int32_t y = (qmcu_mulhi(qmcu_shift_left(acc, s->pre_shift), multiplier) + s->round) >> s->shift;
    return (uint8_t)qmcu_plain_saturate(is_signed, y);
}

/* Codes of `count` channels from o on; the sums of a channel lie together. Inlined with constant `is_signed` and
 * `pixels`, 4 or 1. */
QMCU_INLINE void write_bytes(int is_signed, uint32_t pixels, const qmcu_plain_outputs *t, int32_t *sums, int32_t o,
                             int32_t count)
{
    const qmcu_requant *r = t->requant;
    const scaling s = {r->pre_shift, r->shift, (int32_t)(1u << (r->shift - 1u))};
    const int32_t *multiplier = r->multiplier + o;
    uint8_t *to0 = t->to[0] + o;
    uint8_t *to1 = pixels > 1u ? t->to[1] + o : NULL;
    uint8_t *to2 = pixels > 1u ? t->to[2] + o : NULL;
    uint8_t *to3 = pixels > 1u ? t->to[3] + o : NULL;
    for (const int32_t end = o + count; o < end; o++) {
        const int32_t m = *multiplier++;
        const int32_t bias = qmcu_bias(r, o);
        *to0++ = byte_of(is_signed, &s, m, sums[0] + bias);
        if (pixels > 1u) {
            *to1++ = byte_of(is_signed, &s, m, sums[1] + bias);
            *to2++ = byte_of(is_signed, &s, m, sums[2] + bias);
            *to3++ = byte_of(is_signed, &s, m, sums[3] + bias);
        }
        sums += pixels;
    }
}

/* Codes of two channels from o on, an even number, for four pixels, all codes of 4 bits being possible; `count` is
 * even. */
QMCU_INLINE void write_nibbles(int is_signed, const qmcu_plain_outputs *t, int32_t *sums, int32_t o, int32_t count)
{
    const qmcu_requant *r = t->requant;
    const int32_t round = (int32_t)(1u << (r->shift - 1u));
#if QMCU_PLAIN_ARMV6M
    if (scale_sums(r, sums, o, count)) {
        for (const int32_t end = o + count; o < end; o += 2) {
            for (uint32_t p = 0u; p < 4u; p++) {
                const uint32_t low = (uint32_t)qmcu_plain_saturate4(is_signed, sums[p]) & 15u;
                t->to[p][o / 2] = (uint8_t)(low | (uint32_t)qmcu_plain_saturate4(is_signed, sums[p + 4u]) << 4);
            }
            sums += 8;
        }
        return;
    }
#endif
    for (const int32_t end = o + count; o < end; o += 2) {
        const int32_t m = r->multiplier[o];
        const int32_t n = r->multiplier[o + 1];
        const int32_t bias = qmcu_bias(r, o);
        const int32_t next_bias = qmcu_bias(r, o + 1);
        for (uint32_t p = 0u; p < 4u; p++) {
            const int32_t y = (qmcu_mulhi(qmcu_shift_left(sums[p] + bias, r->pre_shift), m) + round) >> r->shift;
            const int32_t z =
                (qmcu_mulhi(qmcu_shift_left(sums[p + 4u] + next_bias, r->pre_shift), n) + round) >> r->shift;
            const uint32_t low = (uint32_t)qmcu_plain_saturate4(is_signed, y) & 15u;
            t->to[p][o / 2] = (uint8_t)(low | (uint32_t)qmcu_plain_saturate4(is_signed, z) << 4);
        }
        sums += 8;
    }
}

QMCU_KERNEL static void write_signed4(const qmcu_plain_outputs *t, int32_t *sums, int32_t o, int32_t count)
{
    if (t->pixels == 4u && (o | count) % 2 == 0) {
        write_nibbles(1, t, sums, o, count);
    } else {
        write_codes(t, sums, o, count);
    }
}

QMCU_KERNEL static void write_unsigned4(const qmcu_plain_outputs *t, int32_t *sums, int32_t o, int32_t count)
{
    if (t->pixels == 4u && (o | count) % 2 == 0) {
        write_nibbles(0, t, sums, o, count);
    } else {
        write_codes(t, sums, o, count);
    }
}

#if QMCU_PLAIN_ARMV6M
#define WRITE_SCALED(is_signed, t, sums, o, count) \
    (scale_sums(t->requant, sums, o, count) && (write_scaled(is_signed, t, sums, o, count), 1))
#else
#define WRITE_SCALED(is_signed, t, sums, o, count) 0
#endif

#define WRITE(name, is_signed)                                                                         \
    QMCU_KERNEL static void name(const qmcu_plain_outputs *t, int32_t *sums, int32_t o, int32_t count) \
    {                                                                                                  \
        if (t->pixels == 4u) {                                                                         \
            if (WRITE_SCALED(is_signed, t, sums, o, count)) {                                          \
                return;                                                                                \
            }                                                                                          \
            write_bytes(is_signed, 4u, t, sums, o, count);                                             \
        } else {                                                                                       \
            write_bytes(is_signed, 1u, t, sums, o, count);                                             \
        }                                                                                              \
    }

WRITE(write_signed, 1)
WRITE(write_unsigned, 0)

qmcu_plain_write *qmcu_plain_write_of(const qmcu_requant *r, uint32_t format)
{
    if (!qmcu_plain_full(r, format)) {
        return write_codes;
    }
    switch (format) {
    case QMCU_S8:
        return write_signed;
    case QMCU_U8:
        return write_unsigned;
    case QMCU_S4:
        return write_signed4;
    case QMCU_U4:
        return write_unsigned4;
    default:
        return write_codes;
    }
}

#endif /* QMCU_PLAIN */
