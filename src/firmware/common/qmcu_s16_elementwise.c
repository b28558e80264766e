/*
 * QuantMCU runtime: element-wise kernels in which some map has 16 bits. Each unpacks a chunk of codes, computes and
 * packs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_s16.h"

/* What is done with n codes from channel c on; the results replace x0. */
typedef struct {
    const qmcu_scaled_sum *sum;
    const qmcu_mul_params *mul;
    const qmcu_prelu_params *prelu;
    const int16_t *table;
    uint32_t format; /* of the input */
} s16_work;

/* Codes of fewer bits beside one of 16 count 128 times. */
static void scale_codes(int32_t n, uint32_t format, uint32_t other, int16_t *x)
{
    for (int32_t i = 0; i < n && format != QMCU_S16 && other == QMCU_S16; i++) {
        x[i] = (int16_t)(x[i] * 128);
    }
}

static void add_codes(const qmcu_scaled_sum *p, int32_t c, int32_t n, int16_t *x0, const int16_t *x1)
{
    for (int32_t i = 0; i < n; i++) {
        const int32_t m0 = p->multiplier_table[0] != NULL ? p->multiplier_table[0][c + i] : p->multiplier[0];
        int32_t y = (p->offset_table != NULL ? p->offset_table[c + i] : p->offset) + x0[i] * m0;
        if (x1 != NULL) {
            y += x1[i] * (p->multiplier_table[1] != NULL ? p->multiplier_table[1][c + i] : p->multiplier[1]);
        }
        x0[i] = (int16_t)qmcu_clamp(y >> p->shift, p->min, p->max);
    }
}

static void multiply_codes(const qmcu_mul_params *p, int32_t c, int32_t n, int16_t *x0, const int16_t *x1)
{
    for (int32_t i = 0; i < n; i++) {
        const int32_t acc = (x0[i] - p->zeros[0]) * (x1[i] - p->zeros[1]);
        x0[i] = (int16_t)qmcu_requantize_acc(&p->requant, c + i, acc);
    }
}

static void bend_codes(const qmcu_prelu_params *p, int32_t c, int32_t n, int16_t *x)
{
    for (int32_t i = 0; i < n; i++) {
        const int32_t positive = p->positive_table != NULL ? p->positive_table[c + i] : p->positive;
        const int32_t slope = x[i] >= 0 ? positive : p->negative[c + i];
        x[i] = (int16_t)qmcu_clamp((x[i] * slope + p->offset) >> p->shift, p->min, p->max);
    }
}

static void look_up_codes(const int16_t *table, uint32_t format, int32_t n, int16_t *x)
{
    for (int32_t i = 0; i < n; i++) {
        if (format == QMCU_S16) {
            const int32_t k = (x[i] + 32768) >> 7;
            x[i] = (int16_t)(table[k] + (((table[k + 1] - table[k]) * (x[i] & 127) + 64) >> 7));
        } else {
            x[i] = table[x[i]];
        }
    }
}

/* A map that steps by 0 from row to row and pixel to pixel where it is broadcast. */
static qmcu_map s16_broadcast(const qmcu_map *in)
{
    qmcu_map map = *in;
    if (in->h == 1 && in->w == 1) {
        map.row_bytes = 0;
        map.pixel_bytes = 0;
    }
    return map;
}

/* in1: NULL where there is one input. */
static QMCU_NOINLINE QMCU_SMALL void s16_work_on(const s16_work *work, const qmcu_map *in0, const qmcu_map *in1,
                                                 const qmcu_map *out)
{
    const qmcu_map a = s16_broadcast(in0);
    const qmcu_map b = s16_broadcast(in1 != NULL ? in1 : in0);
    int16_t x0[QMCU_CHUNK];
    int16_t x1[QMCU_CHUNK];
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            for (int32_t c = 0; c < out->channels; c += QMCU_CHUNK) {
                const int32_t n = qmcu_min(QMCU_CHUNK, out->channels - c);
                qmcu_s16_unpack(qmcu_at(&a, y, x, c), n, work->format, x0);
                if (in1 != NULL) {
                    qmcu_s16_unpack(qmcu_at(&b, y, x, c), n, b.format, x1);
                }
                const int16_t *second = in1 != NULL ? x1 : NULL;
                if (work->sum != NULL) {
                    scale_codes(n, a.format, b.format, x0);
                    if (in1 != NULL) {
                        scale_codes(n, b.format, a.format, x1);
                    }
                    add_codes(work->sum, c, n, x0, second);
                } else if (work->mul != NULL) {
                    multiply_codes(work->mul, c, n, x0, second);
                } else if (work->prelu != NULL) {
                    bend_codes(work->prelu, c, n, x0);
                } else {
                    look_up_codes(work->table, work->format, n, x0);
                }
                qmcu_s16_pack(x0, n, out->format, qmcu_at(out, y, x, c));
            }
        }
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_add_s16(const qmcu_scaled_sum *params, const qmcu_map *in0, const qmcu_map *in1,
                                         const qmcu_map *out)
{
    const s16_work work = {params, NULL, NULL, NULL, in0->format};
    s16_work_on(&work, in0, in1, out);
}

QMCU_KERNEL QMCU_SMALL void qmcu_requantize_s16(const qmcu_scaled_sum *params, const qmcu_map *in, const qmcu_map *out)
{
    const s16_work work = {params, NULL, NULL, NULL, in->format};
    s16_work_on(&work, in, NULL, out);
}

QMCU_KERNEL QMCU_SMALL void qmcu_mul_s16(const qmcu_mul_params *params, const qmcu_map *in0, const qmcu_map *in1,
                                         const qmcu_map *out)
{
    const s16_work work = {NULL, params, NULL, NULL, in0->format};
    s16_work_on(&work, in0, in1, out);
}

QMCU_KERNEL QMCU_SMALL void qmcu_prelu_s16(const qmcu_prelu_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const s16_work work = {NULL, NULL, params, NULL, in->format};
    s16_work_on(&work, in, NULL, out);
}

QMCU_KERNEL QMCU_SMALL void qmcu_lookup_s16(const int16_t *table, const qmcu_map *in, const qmcu_map *out)
{
    /* Patterns, not values, of codes that a table has one by one. */
    const s16_work work = {NULL, NULL, NULL, table, in->format == QMCU_S16 ? QMCU_S16 : in->format & ~1u};
    s16_work_on(&work, in, NULL, out);
}

QMCU_KERNEL QMCU_SMALL void qmcu_fill_s16(const int16_t *codes, const qmcu_map *out)
{
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            memcpy(qmcu_at(out, y, x, 0), codes, (size_t)out->channels * sizeof *codes);
        }
    }
}

/* Where element i of a map lies, counted in H, W, C order. */
QMCU_INLINE const uint8_t *element_at(const qmcu_map *map, int32_t i)
{
    const int32_t pixel = i / map->channels;
    return qmcu_at(map, pixel / map->w, pixel % map->w, i % map->channels);
}

/* The element of the input that element i of the output is. */
static QMCU_NOINLINE int32_t source_of(const qmcu_permute_params *p, int32_t i)
{
    if (p->counters == NULL) {
        return p->index16 != NULL ? p->index16[i] : p->index32[i];
    }
    int32_t from = p->first;
    for (int32_t d = p->count - 1; d >= 0; d--) {
        from += i % p->counters[2 * d] * p->counters[2 * d + 1];
        i /= p->counters[2 * d];
    }
    return from;
}

QMCU_KERNEL QMCU_SMALL void qmcu_permute_s16(const qmcu_permute_params *params, const qmcu_map *in, const qmcu_map *out)
{
    int32_t element = 0;
    for (int32_t y = 0; y < out->h; y++) {
        for (int32_t x = 0; x < out->w; x++) {
            for (int32_t c = 0; c < out->channels; c++, element++) {
                memcpy(qmcu_at(out, y, x, c), element_at(in, source_of(params, element)), sizeof(int16_t));
            }
        }
    }
}
