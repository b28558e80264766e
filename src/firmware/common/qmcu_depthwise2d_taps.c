/*
 * QuantMCU runtime: pixels of one row of a depthwise convolution, tap by tap, see qmcu_depthwise2d_taps.h.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_depthwise2d_taps.h"

#include "qmcu_mve.h"

#if !QMCU_MVE

void qmcu_run_write_codes(const qmcu_scale *scale, const int32_t *multiplier, int32_t c, int32_t count, uint32_t format,
                          const qmcu_tap_sums *s, uint8_t *to)
{
    const int32_t sums[4] = {s->c0, s->c1, s->c2, s->c3};
    qmcu_writer writer = qmcu_write_pixel(to, format);
    for (int32_t j = 0; j < count; j++) {
#if QMCU_DSP
        if (scale->saturate != 0u) {
            qmcu_write(&writer,
                       (int32_t)(qmcu_scale_saturated(scale, scale->saturate, multiplier[j], sums[j]) ^ scale->flip));
            continue;
        }
#endif
        qmcu_write(&writer, qmcu_scale_acc(scale, multiplier[j], qmcu_scale_max(scale, c + j), sums[j]));
    }
    qmcu_write_end(&writer);
}

#if QMCU_DSP
/* The codes of four channels, saturated; `bits` is a constant, 8 or 4. */
QMCU_INLINE void write_saturated(const qmcu_scale *scale, uint32_t bits, const int32_t *multiplier,
                                 const qmcu_tap_sums *s, uint8_t *to)
{
    const uint32_t c0 = qmcu_scale_saturated(scale, bits, multiplier[0], s->c0) ^ scale->flip;
    const uint32_t c1 = qmcu_scale_saturated(scale, bits, multiplier[1], s->c1) ^ scale->flip;
    const uint32_t c2 = qmcu_scale_saturated(scale, bits, multiplier[2], s->c2) ^ scale->flip;
    const uint32_t c3 = qmcu_scale_saturated(scale, bits, multiplier[3], s->c3) ^ scale->flip;
    if (bits == 8u) {
        to[0] = (uint8_t)c0;
        to[1] = (uint8_t)c1;
        to[2] = (uint8_t)c2;
        to[3] = (uint8_t)c3;
    } else {
        to[0] = (uint8_t)((c0 & 15u) | c1 << 4);
        to[1] = (uint8_t)((c2 & 15u) | c3 << 4);
    }
}
#endif

#if QMCU_PLAIN
/* Code of a sum where all codes of `bits` bits, 8 or 4, are possible. */
QMCU_INLINE uint32_t full_code(uint32_t bits, int is_signed, const qmcu_scale *scale, int32_t multiplier, int32_t sum)
{
    const int32_t y = (qmcu_mulhi(qmcu_shift_left(sum, scale->pre_shift), multiplier) + scale->round) >> scale->shift;
    return (uint32_t)(bits == 8u ? qmcu_plain_saturate(is_signed, y) : qmcu_plain_saturate4(is_signed, y));
}

#define WRITE_FULL(name, bits, is_signed)                                                \
    QMCU_KERNEL static void name(const qmcu_run *r, const qmcu_tap_sums *s, uint8_t *to) \
    {                                                                                    \
        const int32_t *m = r->multiplier;                                                \
        const uint32_t c0 = full_code(bits, is_signed, r->scale, m[0], s->c0);           \
        const uint32_t c1 = full_code(bits, is_signed, r->scale, m[1], s->c1);           \
        const uint32_t c2 = full_code(bits, is_signed, r->scale, m[2], s->c2);           \
        const uint32_t c3 = full_code(bits, is_signed, r->scale, m[3], s->c3);           \
        if (bits == 8u) {                                                                \
            to[0] = (uint8_t)c0;                                                         \
            to[1] = (uint8_t)c1;                                                         \
            to[2] = (uint8_t)c2;                                                         \
            to[3] = (uint8_t)c3;                                                         \
        } else {                                                                         \
            to[0] = (uint8_t)((c0 & 15u) | c1 << 4);                                     \
            to[1] = (uint8_t)((c2 & 15u) | c3 << 4);                                     \
        }                                                                                \
    }

WRITE_FULL(write_s8, 8u, 1)
WRITE_FULL(write_u8, 8u, 0)
WRITE_FULL(write_s4, 4u, 1)
WRITE_FULL(write_u4, 4u, 0)
#endif

/* Any codes of four channels. */
QMCU_KERNEL static void write_any(const qmcu_run *r, const qmcu_tap_sums *s, uint8_t *to)
{
    qmcu_run_write_codes(r->scale, r->multiplier, r->c, 4, r->format, s, to);
}

qmcu_run_write *qmcu_run_write_of(const qmcu_requant *r, uint32_t format)
{
#if QMCU_PLAIN
    if (qmcu_plain_full(r, format)) {
        switch (format) {
        case QMCU_S8:
            return write_s8;
        case QMCU_U8:
            return write_u8;
        case QMCU_S4:
            return write_s4;
        case QMCU_U4:
            return write_u4;
        default:
            break;
        }
    }
#else
    (void)r;
    (void)format;
#endif
    return write_any;
}

/* Adds three adjacent taps. */
QMCU_INLINE void add_row3(uint32_t format, qmcu_tap_sums *s, const uint8_t *x, int32_t next, const int16_t *w)
{
    qmcu_tap_add(format, s, x, w);
    qmcu_tap_add(format, s, x + next, w + 4);
    qmcu_tap_add(format, s, x + 2 * next, w + 8);
}

/* Adds any taps. */
QMCU_INLINE void add_taps(uint32_t format, qmcu_tap_sums *s, const qmcu_run *r, const uint8_t *x)
{
    const int16_t *w = r->w;
    for (int32_t i = r->rows; i > 0; i--) {
        const uint8_t *tap = x;
        const int16_t *weights = w;
        for (int32_t j = r->columns; j > 0; j--) {
            qmcu_tap_add(format, s, tap, weights);
            tap += r->x_next;
            weights += 4;
        }
        x += r->x_next_row;
        w += r->w_next_row;
    }
}

/* Convolves a run. Inlined with a constant format of the input. */
QMCU_INLINE void convolve(uint32_t format, const qmcu_run *r)
{
    const uint8_t *first = r->x;
    uint8_t *to = r->to;
    const int whole3 = r->rows == 3 && r->columns == 3 && r->w_next_row == 12;
    for (int32_t pixels = r->pixels; pixels > 0; pixels--) {
        qmcu_tap_sums s = r->first;
        /* Most kernels are 3 x 3: without loops. */
        if (whole3) {
            const int32_t next = r->x_next;
            const int32_t next_row = r->x_next_row;
            const int16_t *w = r->w;
            add_row3(format, &s, first, next, w);
            add_row3(format, &s, first + next_row, next, w + 12);
            add_row3(format, &s, first + 2 * next_row, next, w + 24);
        } else {
            add_taps(format, &s, r, first);
        }
#if QMCU_DSP
        if (r->scale->saturate == 8u) {
            write_saturated(r->scale, 8u, r->multiplier, &s, to);
        } else if (r->scale->saturate == 4u) {
            write_saturated(r->scale, 4u, r->multiplier, &s, to);
        } else
#endif
        {
            /* A copy, so that the sums need no address and stay in registers. */
            const qmcu_tap_sums whole = s;
            r->write(r, &whole, to);
        }
        first += r->x_next_pixel;
        to += r->to_next_pixel;
    }
}

#define RUN(name, format)                                     \
    QMCU_KERNEL static void name(const qmcu_run *r)           \
    {                                                         \
        if ((QMCU_DEPTHWISE2D_INPUTS >> format & 1u) != 0u) { \
            convolve(format, r);                              \
        }                                                     \
    }

RUN(run_u2, QMCU_U2)
RUN(run_s2, QMCU_S2)
RUN(run_u4, QMCU_U4)
RUN(run_s4, QMCU_S4)
RUN(run_u8, QMCU_U8)
RUN(run_s8, QMCU_S8)

/* Indexed by the format's number: QMCU_U2, QMCU_S2, ... QMCU_S8. */
qmcu_run_function *const qmcu_runs[6] = {run_u2, run_s2, run_u4, run_s4, run_u8, run_s8};

#endif /* !QMCU_MVE */
