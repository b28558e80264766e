/*
 * QuantMCU runtime: packing and unpacking of codes, and sums of them, for the vector extension Helium.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_mve.h"

#if QMCU_MVE

QMCU_KERNEL int16x8_t qmcu_mve_unpack8(const uint8_t *p, uint32_t format, mve_pred16_t active)
{
    switch (format) {
    case QMCU_U8:
        return qmcu_mve_codes8(p, QMCU_U8, 0, active);
    case QMCU_S8:
        return qmcu_mve_codes8(p, QMCU_S8, 0, active);
    case QMCU_U4:
        return qmcu_mve_codes8(p, QMCU_U4, 0, active);
    case QMCU_S4:
        return qmcu_mve_codes8(p, QMCU_S4, 0, active);
    case QMCU_U2:
        return qmcu_mve_codes8(p, QMCU_U2, 0, active);
    default:
        return qmcu_mve_codes8(p, QMCU_S2, 0, active);
    }
}

QMCU_KERNEL void qmcu_mve_pack8(int16x8_t codes, uint32_t bits, int32_t count, uint8_t *to)
{
    const mve_pred16_t active = vctp16q((uint32_t)count);
    if (bits == 8u) {
        vstrbq_p_s16((int8_t *)to, codes, active);
        return;
    }
    const uint16x8_t masked = vpselq_u16(
        vandq_u16(vreinterpretq_u16_s16(codes), vdupq_n_u16((uint16_t)((1u << bits) - 1u))), vdupq_n_u16(0u), active);
    const uint32x4_t pairs = vreinterpretq_u32_u16(masked);
    if (bits == 4u) {
        vstrbq_p_u32(to, vorrq_u32(pairs, vshrq_n_u32(pairs, 12)), vctp32q((uint32_t)(count + 1) / 2u));
        return;
    }
    const uint32x4_t powers_of_16 = vshlq_u32(vdupq_n_u32(1u), vreinterpretq_s32_u32(vidupq_n_u32(0u, 4)));
    const uint32_t value =
        vmladavq_u32(vandq_u32(vorrq_u32(pairs, vshrq_n_u32(pairs, 14)), vdupq_n_u32(15u)), powers_of_16);
    to[0] = (uint8_t)value;
    if (count > 4) {
        to[1] = (uint8_t)(value >> 8);
    }
}

QMCU_KERNEL void qmcu_unpack(const uint8_t *p, int32_t n, uint32_t format, int16_t *codes)
{
    for (; n > 0; n -= 8) {
        const mve_pred16_t active = vctp16q((uint32_t)n);
        vstrhq_p_s16(codes, qmcu_mve_unpack8(p, format, active), active);
        p += qmcu_bits(format);
        codes += 8;
    }
}

QMCU_KERNEL void qmcu_pack(const int16_t *codes, int32_t n, uint32_t format, uint8_t *p)
{
    for (; n > 0; n -= 8) {
        qmcu_mve_pack8(vldrhq_z_s16(codes, vctp16q((uint32_t)n)), qmcu_bits(format), qmcu_min(n, 8), p);
        p += qmcu_bits(format);
        codes += 8;
    }
}

/* Four products of codes and their factors: of channels c ... c + 3, or the same for all. */
QMCU_INLINE int32x4_t scaled(const int16_t *codes, const int16_t *table, int32_t plain, int32_t c, mve_pred16_t active)
{
    const int32x4_t x = vldrhq_z_s32(codes, active);
    return table != NULL ? vmulq_s32(x, vldrhq_z_s32(table + c, active)) : vmulq_n_s32(x, plain);
}

QMCU_KERNEL void qmcu_mve_scaled_sum(const qmcu_scaled_sum *p, int32_t c, int32_t n, int16_t *x0, const int16_t *x1)
{
    const int32x4_t min = vdupq_n_s32(p->min);
    const int32x4_t max = vdupq_n_s32(p->max);
    for (; n > 0; n -= 4) {
        const mve_pred16_t active = vctp32q((uint32_t)n);
        int32x4_t y = p->offset_table != NULL ? vldrwq_z_s32(p->offset_table + c, active) : vdupq_n_s32(p->offset);
        y = vaddq_s32(y, scaled(x0, p->multiplier_table[0], p->multiplier[0], c, active));
        if (x1 != NULL) {
            y = vaddq_s32(y, scaled(x1, p->multiplier_table[1], p->multiplier[1], c, active));
            x1 += 4;
        }
        vstrhq_p_s32(x0, vminq_s32(vmaxq_s32(vshlq_r_s32(y, -(int32_t)p->shift), min), max), active);
        x0 += 4;
        c += 4;
    }
}

/* Sixteen bytes of the largest codes of 8 or 4 bits, as unsigned numbers, see largest_unit in qmcu_pool.c. Inlined with
 * constant bits. */
QMCU_INLINE uint8x16_t largest16(uint32_t bits, const uint8_t *row, const qmcu_mve_pixels *pixels, uint8x16_t flip,
                                 mve_pred16_t active)
{
    const uint8x16_t high = vdupq_n_u8(0xf0u);
    uint8x16_t even = vdupq_n_u8(0u);
    uint8x16_t odd = even;
    for (int32_t y = pixels->rows; y > 0; y--) {
        const uint8_t *p = row;
        for (int32_t x = pixels->columns; x > 0; x--) {
            const uint8x16_t codes = veorq_u8(vldrbq_z_u8(p, active), flip);
            if (bits == 8u) {
                odd = vmaxq_u8(odd, codes);
            } else {
                even = vmaxq_u8(even, vshlq_n_u8(codes, 4));
                odd = vmaxq_u8(odd, vandq_u8(codes, high));
            }
            p += pixels->next;
        }
        row += pixels->next_row;
    }
    return veorq_u8(bits == 8u ? odd : vorrq_u8(vshrq_n_u8(even, 4), odd), flip);
}

QMCU_KERNEL void qmcu_mve_largest(const uint8_t *first, const qmcu_mve_pixels *pixels, uint32_t format, int32_t bytes,
                                  uint8_t *to)
{
    const uint8x16_t flip = vdupq_n_u8(format == QMCU_S8 ? 0x80u : format == QMCU_S4 ? 0x88u : 0u);
    for (; bytes > 0; bytes -= 16) {
        const mve_pred16_t active = vctp8q((uint32_t)bytes);
        const uint8x16_t largest = qmcu_bits(format) == 8u ? largest16(8u, first, pixels, flip, active)
                                                           : largest16(4u, first, pixels, flip, active);
        vstrbq_p_u8(to, largest, active);
        first += 16;
        to += 16;
    }
}

/* Pixels whose codes add up to at most 16 bits. */
#define SHORT_SUM 128

/* Sums of sixteen bytes of each of up to SHORT_SUM pixels. Inlined with a constant format. */
QMCU_INLINE void sum_bytes16(const uint8_t *first, const qmcu_mve_pixels *pixels, uint32_t format, int32_t *sum)
{
    int16x8_t low = vdupq_n_s16(0);
    int16x8_t high = vdupq_n_s16(0);
    for (int32_t y = pixels->rows; y > 0; y--) {
        const uint8_t *p = first;
        for (int32_t x = pixels->columns; x > 0; x--) {
            low = vaddq_s16(low, qmcu_mve_codes8(p, format, 1, 0u));
            high = vaddq_s16(high, qmcu_mve_codes8(p + 8, format, 1, 0u));
            p += pixels->next;
        }
        first += pixels->next_row;
    }
    const int32x4x2_t both_low = {{vmovlbq_s16(low), vmovltq_s16(low)}};
    const int32x4x2_t both_high = {{vmovlbq_s16(high), vmovltq_s16(high)}};
    vst2q_s32(sum, both_low);
    vst2q_s32(sum + 8, both_high);
}

static QMCU_MVE_NOINLINE void sum_unsigned16(const uint8_t *first, const qmcu_mve_pixels *pixels, int32_t *sum)
{
    sum_bytes16(first, pixels, QMCU_U8, sum);
}

static QMCU_MVE_NOINLINE void sum_signed16(const uint8_t *first, const qmcu_mve_pixels *pixels, int32_t *sum)
{
    sum_bytes16(first, pixels, QMCU_S8, sum);
}

/* Sums of up to eight codes of any pixels. */
static QMCU_MVE_NOINLINE void sum_any8(const uint8_t *first, const qmcu_mve_pixels *pixels, int32_t n, uint32_t format,
                                       int32_t *sum)
{
    const mve_pred16_t active = vctp16q((uint32_t)n);
    int32x4x2_t both = {{vdupq_n_s32(0), vdupq_n_s32(0)}};
    for (int32_t y = 0; y < pixels->rows; y++) {
        for (int32_t x = 0; x < pixels->columns; x++) {
            const int16x8_t codes = qmcu_mve_unpack8(first + y * pixels->next_row + x * pixels->next, format, active);
            both.val[0] = vaddq_s32(both.val[0], vmovlbq_s16(codes));
            both.val[1] = vaddq_s32(both.val[1], vmovltq_s16(codes));
        }
    }
    vst2q_s32(sum, both);
}

QMCU_KERNEL void qmcu_mve_sum_pixels(const uint8_t *first, const qmcu_mve_pixels *pixels, int32_t n, uint32_t format,
                                     int32_t *sum)
{
    for (; n >= 16 && format >= QMCU_U8 && pixels->rows * pixels->columns <= SHORT_SUM; n -= 16) {
        if (format == QMCU_U8) {
            sum_unsigned16(first, pixels, sum);
        } else {
            sum_signed16(first, pixels, sum);
        }
        first += 16;
        sum += 16;
    }
    for (; n > 0; n -= 8) {
        sum_any8(first, pixels, n, format, sum);
        first += qmcu_bits(format);
        sum += 8;
    }
}

QMCU_KERNEL void qmcu_mve_average(const qmcu_average_pool_params *p, int32_t entry, int32_t n, const int32_t *sum,
                                  int16_t *codes)
{
    const int32x4_t min = vdupq_n_s32(p->min);
    const int32x4_t max = vdupq_n_s32(p->max);
    int32x4_t multiplier = vdupq_n_s32(p->multiplier[entry]);
    int32x4_t offset = vdupq_n_s32(p->offset[entry]);
    for (; n > 0; n -= 4) {
        const mve_pred16_t active = vctp32q((uint32_t)n);
        if (p->per_channel) {
            multiplier = vldrwq_z_s32(p->multiplier + entry, active);
            offset = vldrwq_z_s32(p->offset + entry, active);
        }
        const int32x4_t scaled_sum = vmulhq_s32(vshlq_r_s32(vldrwq_z_s32(sum, active), p->pre_shift), multiplier);
        const int32x4_t y = vshlq_r_s32(vaddq_s32(scaled_sum, offset), -(int32_t)p->shift);
        vstrhq_p_s32(codes, vminq_s32(vmaxq_s32(y, min), max), active);
        entry += 4;
        sum += 4;
        codes += 4;
    }
}

/* Not inlined once for each of two maps. */
static QMCU_MVE_NOINLINE int16x8_t unpack8(const uint8_t *p, uint32_t format, mve_pred16_t active)
{
    return qmcu_mve_unpack8(p, format, active);
}

QMCU_KERNEL void qmcu_mve_add_codes(const qmcu_scaled_sum *p, const uint8_t *x0, uint32_t format0, const uint8_t *x1,
                                    uint32_t format1, int32_t n, uint32_t bits, uint8_t *to)
{
    const int16x8_t factor0 = vdupq_n_s16(p->multiplier[0]);
    const int16x8_t factor1 = vdupq_n_s16(p->multiplier[1]);
    const int32x4_t offset = vdupq_n_s32(p->offset);
    const int32x4_t min = vdupq_n_s32(p->min);
    const int32x4_t max = vdupq_n_s32(p->max);
    for (; n > 0; n -= 8) {
        const mve_pred16_t active = vctp16q((uint32_t)n);
        const int16x8_t a = unpack8(x0, format0, active);
        const int16x8_t b = unpack8(x1, format1, active);
        const int32x4_t even = vaddq_s32(vaddq_s32(offset, vmullbq_int_s16(a, factor0)), vmullbq_int_s16(b, factor1));
        const int32x4_t odd = vaddq_s32(vaddq_s32(offset, vmulltq_int_s16(a, factor0)), vmulltq_int_s16(b, factor1));
        const int32x4_t low = vminq_s32(vmaxq_s32(vshlq_r_s32(even, -(int32_t)p->shift), min), max);
        const int32x4_t high = vminq_s32(vmaxq_s32(vshlq_r_s32(odd, -(int32_t)p->shift), min), max);
        qmcu_mve_pack8(vmovntq_s32(vreinterpretq_s16_s32(low), high), bits, qmcu_min(n, 8), to);
        x0 += qmcu_bits(format0);
        x1 += qmcu_bits(format1);
        to += bits;
    }
}

QMCU_KERNEL void qmcu_mve_add_bytes(const qmcu_scaled_sum *p, const uint8_t *x0, int is_signed0, const uint8_t *x1,
                                    int is_signed1, int32_t n, uint8_t *to)
{
    /* A signed code is its byte with the highest bit inverted, less 128. */
    const uint32_t flip0 = is_signed0 ? 0x80u : 0u;
    const uint32_t flip1 = is_signed1 ? 0x80u : 0u;
    const uint32_t offset =
        (uint32_t)p->offset - flip0 * (uint32_t)(int32_t)p->multiplier[0] - flip1 * (uint32_t)(int32_t)p->multiplier[1];
    const int32x4_t min = vdupq_n_s32(p->min);
    const int32x4_t max = vdupq_n_s32(p->max);
    for (; n > 0; n -= 4) {
        const mve_pred16_t active = vctp32q((uint32_t)n);
        const uint32x4_t a = veorq_u32(vldrbq_z_u32(x0, active), vdupq_n_u32(flip0));
        const uint32x4_t b = veorq_u32(vldrbq_z_u32(x1, active), vdupq_n_u32(flip1));
        const uint32x4_t first = vmlaq_n_u32(vdupq_n_u32(offset), a, (uint32_t)(int32_t)p->multiplier[0]);
        const int32x4_t y = vreinterpretq_s32_u32(vmlaq_n_u32(first, b, (uint32_t)(int32_t)p->multiplier[1]));
        vstrbq_p_s32((int8_t *)to, vminq_s32(vmaxq_s32(vshlq_r_s32(y, -(int32_t)p->shift), min), max), active);
        x0 += 4;
        x1 += 4;
        to += 4;
    }
}

#endif /* QMCU_MVE */
