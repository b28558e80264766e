/*
 * QuantMCU runtime: columns in which the codes of two pixels share a word, see qmcu_join.h.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_join.h"

#if QMCU_DSP

/* Sums of squares of the codes of the four pixels. */
typedef struct {
    int32_t p;
    int32_t q;
    int32_t r;
    int32_t s;
} squares;

/* The segment that grows, and those before it. */
typedef struct {
    squares sums;
    uint32_t units;
    uint32_t count;
    uint8_t *segments;
} growing;

/* Adds a unit to the segment, or begins one with it. */
QMCU_INLINE void add_unit(const qmcu_pack_shape *shape, growing *g, const squares *unit)
{
    const int32_t limit = (int32_t)shape->limits[g->units];
    if (g->units != 0u && (g->sums.p + unit->p > limit || g->sums.q + unit->q > limit || g->sums.r + unit->r > limit || g->sums.s + unit->s > limit)) {
        g->segments[g->count++] = (uint8_t)g->units;
        g->units = 0u;
        g->sums = *unit;
    } else {
        g->sums.p += unit->p;
        g->sums.q += unit->q;
        g->sums.r += unit->r;
        g->sums.s += unit->s;
    }
    g->units++;
}

QMCU_INLINE uint32_t end_segments(growing *g)
{
    g->segments[g->count++] = (uint8_t)g->units;
    g->segments[g->count] = 0u;
    return g->count;
}

/* The word of two pixels whose codes are the halves of `pair`. */
QMCU_INLINE uint32_t join(uint32_t pair)
{
    return qmcu_smuad(pair, 1u | 1u << (16u + QMCU_PACK_PIXEL));
}

uint32_t qmcu_join_columns(const qmcu_pack_shape *shape, int16_t *columns, uint32_t length, uint8_t *segments)
{
    growing g = { { 0, 0, 0, 0 }, 0u, 0u, segments };
    for (; length > 0u; length -= shape->unit) {
        squares unit = { 0, 0, 0, 0 };
        for (uint32_t k = 0u; k < shape->unit; k += 2u) {
            const qmcu_words x = qmcu_load_two(columns, 0u);
            const qmcu_words y = qmcu_load_two(columns, 8u);
            unit.p = qmcu_smlad(x.first, x.first, unit.p);
            unit.q = qmcu_smlad(x.second, x.second, unit.q);
            unit.r = qmcu_smlad(y.first, y.first, unit.r);
            unit.s = qmcu_smlad(y.second, y.second, unit.s);
            qmcu_store_two(columns, 0u, join(qmcu_pkh_low(x.first, x.second)), join(qmcu_pkh_low(y.first, y.second)));
            qmcu_store_two(columns, 8u, join(qmcu_pkh_high(x.first, x.second)), join(qmcu_pkh_high(y.first, y.second)));
            columns += 8;
        }
        add_unit(shape, &g, &unit);
    }
    return end_segments(&g);
}

/* Four codes of two pixels: a word for each code, 8 bytes apart. */
QMCU_INLINE void join_four(int is_signed, const uint8_t *p, const uint8_t *q, int16_t *columns, int32_t *squares_p, int32_t *squares_q)
{
    const uint32_t codes_p = qmcu_load_unaligned(p);
    const uint32_t codes_q = qmcu_load_unaligned(q);
    const uint32_t even_p = is_signed ? qmcu_sxtb16(codes_p) : qmcu_uxtb16(codes_p);
    const uint32_t odd_p = is_signed ? qmcu_sxtb16_ror8(codes_p) : qmcu_uxtb16_ror8(codes_p);
    const uint32_t even_q = is_signed ? qmcu_sxtb16(codes_q) : qmcu_uxtb16(codes_q);
    const uint32_t odd_q = is_signed ? qmcu_sxtb16_ror8(codes_q) : qmcu_uxtb16_ror8(codes_q);
    *squares_p = qmcu_smlad(even_p, even_p, *squares_p);
    *squares_q = qmcu_smlad(even_q, even_q, *squares_q);
    *squares_p = qmcu_smlad(odd_p, odd_p, *squares_p);
    *squares_q = qmcu_smlad(odd_q, odd_q, *squares_q);
    qmcu_store(columns, join(qmcu_pkh_low(even_p, even_q)));
    qmcu_store(columns + 4, join(qmcu_pkh_low(odd_p, odd_q)));
    qmcu_store(columns + 8, join(qmcu_pkh_high(even_p, even_q)));
    qmcu_store(columns + 12, join(qmcu_pkh_high(odd_p, odd_q)));
}

/* A unit of two pixels. */
QMCU_INLINE void join_unit(int is_signed, uint32_t unit, const uint8_t *p, const uint8_t *q, int16_t *columns, int32_t *squares_p, int32_t *squares_q)
{
    *squares_p = 0;
    *squares_q = 0;
    for (const uint8_t *end = p + unit; p != end; p += 4) {
        join_four(is_signed, p, q, columns, squares_p, squares_q);
        q += 4;
        columns += 16;
    }
}

/* Inlined with a constant sign. */
QMCU_INLINE uint32_t join_pixels(int is_signed, const qmcu_pack_shape *shape, const uint8_t *const at[4], int16_t *columns, uint32_t length, uint8_t *segments)
{
    growing g = { { 0, 0, 0, 0 }, 0u, 0u, segments };
    for (uint32_t k = 0u; k < length; k += shape->unit) {
        squares unit;
        join_unit(is_signed, shape->unit, at[0] + k, at[1] + k, columns + 4u * k, &unit.p, &unit.q);
        join_unit(is_signed, shape->unit, at[2] + k, at[3] + k, columns + 4u * k + 2u, &unit.r, &unit.s);
        add_unit(shape, &g, &unit);
    }
    return end_segments(&g);
}

uint32_t qmcu_join_pixels(const qmcu_pack_shape *shape, uint32_t format, const uint8_t *const at[4], int16_t *columns, uint32_t length, uint8_t *segments)
{
    if (format == QMCU_S8) {
        return join_pixels(1, shape, at, columns, length, segments);
    }
    return join_pixels(0, shape, at, columns, length, segments);
}

#endif /* QMCU_DSP */
