/*
 * QuantMCU runtime: what the kernels for the vector extension Helium (Cortex-M55, M85 ...) share. Not part of the
 * interface.
 *
 * Instructions: Armv8-M manual, C2.4. VMULH gives floor(a * m / 2^32) and VRSHL with a negative amount (x + (1 << (n -
 * 1))) >> n, both without overflow inside, so that vectors requantize to the same bits as qmcu_requantize_acc.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_MVE_H
#define QMCU_MVE_H

#include "qmcu_internal.h"

#if QMCU_MVE

#include <arm_mve.h>

#if defined(__GNUC__) || defined(__clang__)
#define QMCU_MVE_NOINLINE __attribute__((noinline))
#else
#define QMCU_MVE_NOINLINE
#endif

/* What qmcu_requant says of all channels, as the vector instructions take it. */
typedef struct {
    const qmcu_requant *requant;
    int32_t pre_shift;
    int32_t shift;      /* negative: to the right */
    int32_t bias_shift; /* likewise */
} qmcu_mve_scale;

QMCU_INLINE qmcu_mve_scale qmcu_mve_scale_of(const qmcu_requant *r)
{
    const qmcu_mve_scale s = {r, r->pre_shift, -(int32_t)r->shift, r->bias_shift};
    return s;
}

/* Factors and bounds of four channels. */
typedef struct {
    int32x4_t bias;
    int32x4_t multiplier;
    int32x4_t max;
} qmcu_mve_channels;

/* Of channels c ... c + 3, as far as `active` says so. */
QMCU_INLINE qmcu_mve_channels qmcu_mve_channels_from(const qmcu_mve_scale *s, int32_t c, mve_pred16_t active)
{
    const qmcu_requant *r = s->requant;
    qmcu_mve_channels k;
    k.bias = vrshlq_n_s32(vldrwq_z_s32(r->bias + c, active), s->bias_shift);
    k.multiplier = vldrwq_z_s32(r->multiplier + c, active);
    k.max = r->max_table != NULL ? vldrhq_z_s32(r->max_table + c, active) : vdupq_n_s32(r->max);
    return k;
}

/* Codes of four accumulators that do not include the bias. */
QMCU_INLINE int32x4_t qmcu_mve_requantize(const qmcu_mve_scale *s, const qmcu_mve_channels *k, int32x4_t acc)
{
    const int32x4_t a = vshlq_r_s32(vaddq_s32(acc, k->bias), s->pre_shift);
    const int32x4_t y = vrshlq_n_s32(vmulhq_s32(a, k->multiplier), s->shift);
    return vminq_s32(vmaxq_s32(y, vdupq_n_s32(s->requant->min)), k->max);
}

/* Writes codes of channels o ... o + count - 1 (count <= 4) of a pixel; channels come upward, so that a byte is begun
 * by its first. */
QMCU_INLINE void qmcu_mve_write4(uint8_t *pixel, uint32_t bits, int32_t o, int32_t count, int32x4_t codes)
{
    const mve_pred16_t active = vctp32q((uint32_t)count);
    if (bits == 8u) {
        vstrbq_p_s32((int8_t *)pixel + o, codes, active);
        return;
    }
    /* Codes side by side in one number: the sum of their products with powers of two, 1 << (0, bits, 2 * bits, 3 *
     * bits). */
    const uint32x4_t powers = vshlq_u32(vdupq_n_u32(1u), vreinterpretq_s32_u32(vmulq_n_u32(vidupq_n_u32(0u, 1), bits)));
    const uint32x4_t masked = vandq_u32(vreinterpretq_u32_s32(codes), vdupq_n_u32((1u << bits) - 1u));
    const uint32_t at = (uint32_t)o * bits;
    const uint32_t end = at % 8u + (uint32_t)count * bits;
    uint8_t *p = pixel + at / 8u;
    uint32_t value = vmladavq_p_u32(masked, powers, active) << (at % 8u);
    if (at % 8u != 0u) {
        value |= *p;
    }
    for (uint32_t done = 0u; done < end; done += 8u) {
        *p++ = (uint8_t)value;
        value >>= 8;
    }
}

/*
 * Sixteen codes from code i of byte p on, as bytes, as far as `active` says so; others are 0.
 * At less than 8 bits the byte of each code is gathered, and the code shifted to the byte's top and down again.
 */
QMCU_INLINE uint8x16_t qmcu_mve_codes(const uint8_t *p, uint32_t format, uint32_t i, mve_pred16_t active)
{
    const uint32_t bits = qmcu_bits(format);
    if (bits == 8u) {
        return vldrbq_z_u8(p + i, active);
    }
    const uint32_t per_byte = 8u / bits;
    const uint8x16_t places = vidupq_n_u8(i % per_byte, 1);
    const uint8x16_t bytes = bits == 4u ? vshrq_n_u8(places, 1) : vshrq_n_u8(places, 2);
    const uint8x16_t after = vbicq_u8(vdupq_n_u8((uint8_t)(per_byte - 1u)), places);
    const uint8x16_t loaded = vldrbq_gather_offset_z_u8(p + i / per_byte, bytes, active);
    const uint8x16_t top = vshlq_u8(loaded, vreinterpretq_s8_u8(vmulq_n_u8(after, (uint8_t)bits)));
    switch (format) {
    case QMCU_U4:
        return vshrq_n_u8(top, 4);
    case QMCU_S4:
        return vreinterpretq_u8_s8(vshrq_n_s8(vreinterpretq_s8_u8(top), 4));
    case QMCU_U2:
        return vshrq_n_u8(top, 6);
    default:
        return vreinterpretq_u8_s8(vshrq_n_s8(vreinterpretq_s8_u8(top), 6));
    }
}

/* Eight codes from byte p on in lanes of 16 bits; those that are not `active` are 0 where not all are read. */
QMCU_INLINE int16x8_t qmcu_mve_codes8(const uint8_t *p, uint32_t format, int whole, mve_pred16_t active)
{
    if (format == QMCU_U8) {
        return vreinterpretq_s16_u16(whole ? vldrbq_u16(p) : vldrbq_z_u16(p, active));
    }
    if (format == QMCU_S8) {
        return whole ? vldrbq_s16((const int8_t *)p) : vldrbq_z_s16((const int8_t *)p, active);
    }
    /* The byte of each code, the code shifted to the top of 16 bits and down again. */
    const uint32_t bits = qmcu_bits(format);
    const uint16x8_t places = vidupq_n_u16(0u, 1);
    const uint16x8_t bytes = bits == 4u ? vshrq_n_u16(places, 1) : vshrq_n_u16(places, 2);
    const uint16x8_t left =
        vsubq_u16(vdupq_n_u16((uint16_t)(16u - bits)),
                  vmulq_n_u16(vandq_u16(places, vdupq_n_u16((uint16_t)(8u / bits - 1u))), (uint16_t)bits));
    const uint16x8_t loaded = whole ? vldrbq_gather_offset_u16(p, bytes) : vldrbq_gather_offset_z_u16(p, bytes, active);
    const uint16x8_t top = vshlq_u16(loaded, vreinterpretq_s16_u16(left));
    switch (format) {
    case QMCU_U4:
        return vreinterpretq_s16_u16(vshrq_n_u16(top, 12));
    case QMCU_S4:
        return vshrq_n_s16(vreinterpretq_s16_u16(top), 12);
    case QMCU_U2:
        return vreinterpretq_s16_u16(vshrq_n_u16(top, 14));
    default:
        return vshrq_n_s16(vreinterpretq_s16_u16(top), 14);
    }
}

/* Likewise with a format that is not constant. */
int16x8_t qmcu_mve_unpack8(const uint8_t *p, uint32_t format, mve_pred16_t active);

/* Writes the first `count` of eight codes; bits of a byte after the last code become 0. */
void qmcu_mve_pack8(int16x8_t codes, uint32_t bits, int32_t count, uint8_t *to);

/* The scaled sums of n codes of channels c, c + 1 ... in place of x0; x1 is NULL where there is one input. */
void qmcu_mve_scaled_sum(const qmcu_scaled_sum *p, int32_t c, int32_t n, int16_t *x0, const int16_t *x1);

/* The same of n codes of any bits that follow each other, the factors being the same for all channels. */
void qmcu_mve_add_codes(const qmcu_scaled_sum *p, const uint8_t *x0, uint32_t format0, const uint8_t *x1,
                        uint32_t format1, int32_t n, uint32_t bits, uint8_t *to);

/* The same of n bytes, where all maps have 8 bits and the factors are the same for all channels. */
void qmcu_mve_add_bytes(const qmcu_scaled_sum *p, const uint8_t *x0, int is_signed0, const uint8_t *x1, int is_signed1,
                        int32_t n, uint8_t *to);

/* Pixels under a window, and bytes from one row and one column of them to the next. */
typedef struct {
    int32_t rows;
    int32_t columns;
    int32_t next_row;
    int32_t next;
} qmcu_mve_pixels;

/* The largest codes of 8 or 4 bits over pixels, so many bytes of them. */
void qmcu_mve_largest(const uint8_t *first, const qmcu_mve_pixels *pixels, uint32_t format, int32_t bytes, uint8_t *to);

/* Sums of n codes over pixels; `sum` has room for a multiple of eight. */
void qmcu_mve_sum_pixels(const uint8_t *first, const qmcu_mve_pixels *pixels, int32_t n, uint32_t format, int32_t *sum);

/* Codes of n such sums: with the factors of `entry` for all, or of channels entry, entry + 1 ... */
void qmcu_mve_average(const qmcu_average_pool_params *p, int32_t entry, int32_t n, const int32_t *sum, int16_t *codes);

#endif /* QMCU_MVE */

#endif /* QMCU_MVE_H */
