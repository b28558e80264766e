/*
 * QuantMCU runtime: columns of packed convolutions, see qmcu_conv2d_dsp_packed_columns.h.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_packed_columns.h"

#if QMCU_DSP

/* Most units of a segment: they are counted in a byte. */
#define MOST_UNITS 255u

/* Sums of squares of the packing_codes of the four pixels. */
typedef struct {
    int32_t of[4];
} squares;

static int fit(const squares *sums, uint32_t limit)
{
    const int32_t most = (int32_t)limit;
    return sums->of[0] <= most && sums->of[1] <= most && sums->of[2] <= most && sums->of[3] <= most;
}

/* A segment of all units. */
static uint32_t one_segment(uint32_t units, uint8_t *segments)
{
    segments[0] = (uint8_t)units;
    segments[1] = 0u;
    return 1u;
}

/* The segment that grows, and those before it. */
typedef struct {
    squares sums;
    uint32_t units;
    uint32_t count;
    uint8_t *segments;
} growing;

static void end_segment(growing *g)
{
    g->segments[g->count++] = (uint8_t)g->units;
    g->segments[g->count] = 0u;
    g->units = 0u;
    g->sums = (squares){{0, 0, 0, 0}};
}

/* Adds so many units to the segment, or begins one with them. Returns 0 where they do not fit together: not at a single
 * one, which always does. */
QMCU_INLINE int grow(const qmcu_pack_shape *shape, growing *g, const squares *more, uint32_t units)
{
    const squares sums = {{g->sums.of[0] + more->of[0], g->sums.of[1] + more->of[1], g->sums.of[2] + more->of[2],
                           g->sums.of[3] + more->of[3]}};
    if (g->units + units <= MOST_UNITS && fit(&sums, shape->limits[g->units + units - 1u])) {
        g->sums = sums;
        g->units += units;
        return 1;
    }
    if (units > 1u && !fit(more, shape->limits[units - 1u])) {
        return 0;
    }
    if (g->units != 0u) {
        end_segment(g);
    }
    g->sums = *more;
    g->units = units;
    return 1;
}

/* Codes that are measured at a time: of whole units, and of an iteration of the kernel's loop. */
QMCU_INLINE uint32_t measured_at_once(const qmcu_pack_shape *shape)
{
    return QMCU_PACK_UNROLL / shape->unit * shape->unit;
}

/* Of `length` packing_codes of unjoined columns, an even number. */
QMCU_INLINE void measure_codes(const int16_t *columns, uint32_t length, squares *sums)
{
    squares s = {{0, 0, 0, 0}};
    for (const int16_t *end = columns + 4u * length; columns != end; columns += 8) {
        const qmcu_words x = qmcu_load_two(columns, 0u);
        const qmcu_words y = qmcu_load_two(columns, 8u);
        s.of[0] = qmcu_smlad(x.first, x.first, s.of[0]);
        s.of[1] = qmcu_smlad(x.second, x.second, s.of[1]);
        s.of[2] = qmcu_smlad(y.first, y.first, s.of[2]);
        s.of[3] = qmcu_smlad(y.second, y.second, s.of[3]);
    }
    *sums = s;
}

uint32_t qmcu_measure_columns(const qmcu_pack_shape *shape, const int16_t *columns, uint32_t length, uint8_t *segments)
{
    const uint32_t most = measured_at_once(shape);
    growing g = {{{0, 0, 0, 0}}, 0u, 0u, segments};
    squares sums;
    if (shape->always != 0u) {
        return one_segment(length / shape->unit, segments);
    }
    for (uint32_t k = 0u; k < length; k += most) {
        const uint32_t n = length - k < most ? length - k : most;
        measure_codes(columns + 4u * k, n, &sums);
        if (!grow(shape, &g, &sums, n / shape->unit)) {
            for (uint32_t i = k; i < k + n; i += shape->unit) {
                measure_codes(columns + 4u * i, shape->unit, &sums);
                (void)grow(shape, &g, &sums, 1u);
            }
        }
    }
    end_segment(&g);
    return g.count;
}

/* The word of two pixels whose packing_codes are the halves of `pair`. */
QMCU_INLINE uint32_t join(uint32_t pair)
{
    return qmcu_smuad(pair, 1u | 1u << (16u + QMCU_PACK_PIXEL));
}

uint32_t qmcu_join_columns(const qmcu_pack_shape *shape, int16_t *columns, uint32_t length, uint8_t *segments)
{
    const uint32_t count = qmcu_measure_columns(shape, columns, length, segments);
    for (const int16_t *end = columns + 4u * length; columns != end; columns += 8) {
        const qmcu_words x = qmcu_load_two(columns, 0u);
        const qmcu_words y = qmcu_load_two(columns, 8u);
        qmcu_store_two(columns, 0u, join(qmcu_pkh_low(x.first, x.second)), join(qmcu_pkh_low(y.first, y.second)));
        qmcu_store_two(columns, 8u, join(qmcu_pkh_high(x.first, x.second)), join(qmcu_pkh_high(y.first, y.second)));
    }
    return count;
}

/* Four packing_codes of a pixel: the first and the third, the second and the fourth. */
typedef struct {
    uint32_t even;
    uint32_t odd;
} packing_codes;

QMCU_INLINE packing_codes load_codes(int is_signed, const uint8_t *p)
{
    const uint32_t word = qmcu_load_unaligned(p);
    packing_codes c;
    c.even = is_signed ? qmcu_sxtb16(word) : qmcu_uxtb16(word);
    c.odd = is_signed ? qmcu_sxtb16_ror8(word) : qmcu_uxtb16_ror8(word);
    return c;
}

QMCU_INLINE int32_t add_squares(const packing_codes *c, int32_t sum)
{
    return qmcu_smlad(c->odd, c->odd, qmcu_smlad(c->even, c->even, sum));
}

/* Two pixels of all packing_codes: a word for each code, 8 bytes apart. `measured`: with the sums of their squares. */
QMCU_INLINE void join_two(int is_signed, int measured, const uint8_t *p, const uint8_t *q, int16_t *columns,
                          uint32_t length, int32_t *squares_p, int32_t *squares_q)
{
    int32_t sum_p = 0;
    int32_t sum_q = 0;
    for (const uint8_t *end = p + length; p != end; p += 4) {
        const packing_codes a = load_codes(is_signed, p);
        const packing_codes b = load_codes(is_signed, q);
        if (measured) {
            sum_p = add_squares(&a, sum_p);
            sum_q = add_squares(&b, sum_q);
        }
        qmcu_store(columns, join(qmcu_pkh_low(a.even, b.even)));
        qmcu_store(columns + 4, join(qmcu_pkh_low(a.odd, b.odd)));
        qmcu_store(columns + 8, join(qmcu_pkh_high(a.even, b.even)));
        qmcu_store(columns + 12, join(qmcu_pkh_high(a.odd, b.odd)));
        q += 4;
        columns += 16;
    }
    *squares_p = sum_p;
    *squares_q = sum_q;
}

static int32_t measure_pixel(int is_signed, const uint8_t *p, uint32_t length)
{
    int32_t sum = 0;
    for (const uint8_t *end = p + length; p != end; p += 4) {
        const packing_codes c = load_codes(is_signed, p);
        sum = add_squares(&c, sum);
    }
    return sum;
}

/* Unit by unit: from code `from` of the four pixels on. */
static void measure_units(int is_signed, const qmcu_pack_shape *shape, const uint8_t *const at[4], uint32_t from,
                          uint32_t end, growing *g)
{
    for (uint32_t k = from; k < end; k += shape->unit) {
        squares sums;
        for (uint32_t i = 0u; i < 4u; i++) {
            sums.of[i] = measure_pixel(is_signed, at[i] + k, shape->unit);
        }
        (void)grow(shape, g, &sums, 1u);
    }
}

/* The same of two and two pixels; with a constant sign. */
QMCU_INLINE void join_four(int is_signed, int measured, const uint8_t *const at[4], uint32_t from, int16_t *columns,
                           uint32_t length, squares *sums)
{
    for (uint32_t i = 0u; i < 4u; i += 2u) {
        join_two(is_signed, measured, at[i] + from, at[i + 1u] + from, columns + i, length, &sums->of[i],
                 &sums->of[i + 1u]);
    }
}

/* Inlined with a constant sign. */
QMCU_INLINE uint32_t join_pixels(int is_signed, const qmcu_pack_shape *shape, const uint8_t *const at[4],
                                 int16_t *columns, uint32_t length, uint8_t *segments)
{
    const uint32_t most = measured_at_once(shape);
    growing g = {{{0, 0, 0, 0}}, 0u, 0u, segments};
    squares sums;
    if (shape->always != 0u) {
        join_four(is_signed, 0, at, 0u, columns, length, &sums);
        return one_segment(length / shape->unit, segments);
    }
    for (uint32_t k = 0u; k < length; k += most) {
        const uint32_t n = length - k < most ? length - k : most;
        join_four(is_signed, 1, at, k, columns + 4u * k, n, &sums);
        if (!grow(shape, &g, &sums, n / shape->unit)) {
            measure_units(is_signed, shape, at, k, k + n, &g);
        }
    }
    end_segment(&g);
    return g.count;
}

uint32_t qmcu_join_pixels(const qmcu_pack_shape *shape, uint32_t format, const uint8_t *const at[4], int16_t *columns,
                          uint32_t length, uint8_t *segments)
{
    QMCU_ASSUME((QMCU_CONV2D_PACKED & (format == QMCU_S8 ? 8u : 4u)) != 0u);
    if (format == QMCU_S8) {
        return join_pixels(1, shape, at, columns, length, segments);
    }
    return join_pixels(0, shape, at, columns, length, segments);
}

#endif /* QMCU_DSP */
