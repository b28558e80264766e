/*
 * QuantMCU runtime: what the kernels share. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_INTERNAL_H
#define QMCU_INTERNAL_H

#include "qmcu_core.h"

/* `>>` of a negative number is the compiler's choice in C99; the arithmetic is defined with an arithmetic shift. */
typedef char qmcu_requires_arithmetic_shift[((-5) >> 1) == -3 ? 1 : -1];

/* Bytes and sums are computed as int: not for cores whose int has 16 bits. */
typedef char qmcu_requires_int_of_32_bits[sizeof(int) >= 4u ? 1 : -1];

/* Codes that element-wise kernels and pools hold unpacked at a time. A multiple of 8, so that chunks begin on a byte.
 */
#define QMCU_CHUNK 32

/* Bits of a code, 2, 4, 8 or 16. */
QMCU_INLINE uint32_t qmcu_bits(uint32_t format)
{
#if (QMCU_USED_FORMATS & 143u) == 0
    (void)format;
    return 8u;
#else
    return 2u << (format >> 1);
#endif
}

QMCU_INLINE int32_t qmcu_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

QMCU_INLINE int32_t qmcu_clamp(int32_t x, int32_t min, int32_t max)
{
    return x < min ? min : x > max ? max : x;
}

/* x << n without the undefined behaviour of shifting a negative number. */
QMCU_INLINE int32_t qmcu_shift_left(int32_t x, uint32_t n)
{
    return (int32_t)((uint32_t)x << n);
}

/* floor(a * m / 2^32). */
QMCU_INLINE int32_t qmcu_mulhi(int32_t a, int32_t m)
{
#if QMCU_SPLIT_MULHI
    const uint32_t al = (uint32_t)a & 0xffffu;
    const uint32_t ml = (uint32_t)m & 0xffffu;
    const int32_t ah = a >> 16;
    const int32_t mh = m >> 16;
    /* Neither sum leaves int32: |16-bit signed * 16-bit unsigned| + 65535 < 2^31. */
    const int32_t mid = ah * (int32_t)ml + (int32_t)((al * ml) >> 16);
    const int32_t low = (int32_t)al * mh + (mid & 0xffff);
    return ah * mh + (mid >> 16) + (low >> 16);
#else
    return (int32_t)(((int64_t)a * m) >> 32);
#endif
}

/* Instructions of Thumb-2: Cortex-M3 and up. */
#if defined(__ARM_ARCH) && __ARM_ARCH >= 7 && defined(__thumb2__) && (defined(__GNUC__) || defined(__clang__)) && \
    !defined(__ARM_BIG_ENDIAN)
#define QMCU_THUMB2 1
#else
#define QMCU_THUMB2 0
#endif

/*
 * acc + a * b. Left to themselves, GCC and Clang add the products of several iterations together first and then lack
 * registers for the sums.
 */
QMCU_INLINE int32_t qmcu_mla(int32_t a, int32_t b, int32_t acc)
{
#if QMCU_THUMB2
    __asm__("mla %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b));
    return acc;
#else
    acc += a * b;
#if defined(__GNUC__) || defined(__clang__)
    __asm__("" : "+r"(acc));
#endif
    return acc;
#endif
}

/* Sums of the first row (a) and the second (b) for up to four pixels. */
typedef struct {
    int32_t a0;
    int32_t a1;
    int32_t a2;
    int32_t a3;
    int32_t b0;
    int32_t b1;
    int32_t b2;
    int32_t b3;
} qmcu_sums;

/* From accumulator to code of channel c, see qmcu_requant. */
QMCU_INLINE int32_t qmcu_requantize_acc(const qmcu_requant *r, int32_t c, int32_t acc)
{
    int32_t bias = r->bias[c];
    if (r->bias_shift >= 0) {
        bias = qmcu_shift_left(bias, (uint32_t)r->bias_shift);
    } else {
        const uint32_t n = (uint32_t)-r->bias_shift;
        bias = (bias + (int32_t)(1u << (n - 1u))) >> n;
    }
    const int32_t a = qmcu_shift_left(acc + bias, r->pre_shift);
    const int32_t y = (qmcu_mulhi(a, r->multiplier[c]) + (int32_t)(1u << (r->shift - 1u))) >> r->shift;
    return qmcu_clamp(y, r->min, r->max_table != NULL ? r->max_table[c] : r->max);
}

/* Code i counted from the first code of byte p. */
QMCU_INLINE int32_t qmcu_code(const uint8_t *p, uint32_t i, uint32_t format)
{
    switch (format) {
    case QMCU_U8:
        return p[i];
    case QMCU_S8:
        return (int8_t)p[i];
    case QMCU_U4:
        return (p[i >> 1] >> ((i & 1u) * 4u)) & 15;
    case QMCU_S4:
        return (((p[i >> 1] >> ((i & 1u) * 4u)) & 15) ^ 8) - 8;
    case QMCU_U2:
        return (p[i >> 2] >> ((i & 3u) * 2u)) & 3;
    default:
        return (((p[i >> 2] >> ((i & 3u) * 2u)) & 3) ^ 2) - 2;
    }
}

/* Whether weights have 8 bits, not 4; `used`: what is used, 1: 4 bits, 2: 8 bits. */
#define QMCU_ARE_BYTES(used, weight_bits) ((used) == 2u || ((used) != 1u && (weight_bits) == 8u))

/* Weight i counted from the first weight of byte w. */
QMCU_INLINE int32_t qmcu_weight(const uint8_t *w, uint32_t i, uint32_t weight_bits)
{
    return qmcu_code(w, i, weight_bits == 8u ? QMCU_S8 : QMCU_S4);
}

/* Bytes that n weights of one row take. */
QMCU_INLINE uint32_t qmcu_weight_row_bytes(uint32_t n, uint32_t weight_bits)
{
    return weight_bits == 8u ? n : (n + 1u) / 2u;
}

/* Packs codes of one pixel, one after the other; a byte is written when its last code is known. */
typedef struct {
    uint8_t *p;
    uint32_t byte;
    uint32_t filled;
    uint32_t bits;
} qmcu_writer;

QMCU_INLINE qmcu_writer qmcu_write_pixel(uint8_t *p, uint32_t format)
{
    qmcu_writer writer = {p, 0u, 0u, qmcu_bits(format)};
    return writer;
}

QMCU_INLINE void qmcu_write(qmcu_writer *writer, int32_t code)
{
    if (writer->bits == 8u) {
        *writer->p++ = (uint8_t)code;
        return;
    }
    writer->byte |= ((uint32_t)code & ((1u << writer->bits) - 1u)) << writer->filled;
    writer->filled += writer->bits;
    if (writer->filled == 8u) {
        *writer->p++ = (uint8_t)writer->byte;
        writer->byte = 0u;
        writer->filled = 0u;
    }
}

QMCU_INLINE void qmcu_write_end(qmcu_writer *writer)
{
    if (writer->filled != 0u) {
        *writer->p = (uint8_t)writer->byte;
    }
}

/* Whether the pixels of a row follow each other without a gap, so that a row is one run of codes. */
QMCU_INLINE int qmcu_is_dense(const qmcu_map *map)
{
    return map->channels * (int32_t)qmcu_bits(map->format) == map->pixel_bytes * 8;
}

/* Step from one row or pixel to the next, 0 for a map that is broadcast. */
QMCU_INLINE qmcu_map qmcu_broadcast(const qmcu_map *in)
{
    qmcu_map map = *in;
    if (in->h == 1 && in->w == 1) {
        map.row_bytes = 0;
        map.pixel_bytes = 0;
    }
    return map;
}

/* A byte as a code. */
QMCU_INLINE int32_t qmcu_byte_code(uint32_t is_signed, const uint8_t *p)
{
    return is_signed ? (int32_t)(int8_t)*p : (int32_t)*p;
}

/* Taps [first, end) of a window of `kernel` taps from `origin` on, `dilation` apart, that lie inside [0, size). */
typedef struct {
    int32_t first;
    int32_t end;
} qmcu_taps;

QMCU_INLINE qmcu_taps qmcu_taps_inside(int32_t origin, int32_t kernel, int32_t dilation, int32_t size)
{
    qmcu_taps taps = {0, kernel};
    while (taps.first < kernel && origin + taps.first * dilation < 0) {
        taps.first++;
    }
    while (taps.end > taps.first && origin + (taps.end - 1) * dilation >= size) {
        taps.end--;
    }
    return taps;
}

/* Address of the first code of channel `channel` (a multiple of 8 / bits) of a pixel. */
QMCU_INLINE uint8_t *qmcu_at(const qmcu_map *map, int32_t y, int32_t x, int32_t channel)
{
    return map->data + (y * map->row_bytes + x * map->pixel_bytes + channel * (int32_t)qmcu_bits(map->format) / 8);
}

/* Codes [0, n) from the byte p on. n <= QMCU_CHUNK. */
void qmcu_unpack(const uint8_t *p, int32_t n, uint32_t format, int16_t *codes);

/* Writes ceil(n * bits / 8) bytes; bits after the last code become 0. n <= QMCU_CHUNK. */
void qmcu_pack(const int16_t *codes, int32_t n, uint32_t format, uint8_t *p);

#endif /* QMCU_INTERNAL_H */
