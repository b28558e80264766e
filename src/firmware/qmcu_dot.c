/*
 * QuantMCU runtime: inner products of packed codes with packed weights.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_dot.h"

/* acc + x0 * w[0] + x1 * w[1], the weights beginning with byte w. */
QMCU_INLINE int32_t mac2(int32_t acc, const uint8_t *w, uint32_t weight_bits, int32_t x0, int32_t x1)
{
    if (weight_bits == 8u) {
        acc += x0 * (int8_t)w[0];
        return acc + x1 * (int8_t)w[1];
    }
    const uint32_t pair = *w;
    acc += x0 * ((int32_t)(pair << 28) >> 28);
    return acc + x1 * ((int8_t)pair >> 4);
}

/*
 * The run with format and bits as constants. Whole bytes are taken where a code and its weight both begin one, the rest
 * goes code by code.
 */
QMCU_INLINE void run(uint32_t format, uint32_t weight_bits, qmcu_dot4 *into, const uint8_t *x, uint32_t xi, uint32_t wi, uint32_t n)
{
    const uint32_t per_byte = 8u / qmcu_bits(format);
    const uint32_t group = per_byte == 4u ? 4u : 2u; /* codes per turn of the main loop */
    const uint32_t x_step = group / per_byte;
    const uint32_t w_step = group * weight_bits / 8u;
    qmcu_dot4 dot = *into;
    uint32_t k = 0u;
    while (k < n && ((xi + k) % per_byte != 0u || (weight_bits == 4u && (wi + k) % 2u != 0u))) {
        qmcu_dot4_one(&dot, qmcu_code(x, xi + k, format), wi + k, weight_bits);
        k++;
    }
    if (k + group <= n) {
        const uint32_t turns = (n - k) / group;
        const uint32_t w = (wi + k) * weight_bits / 8u;
        const uint8_t *p = x + (xi + k) / per_byte;
        const uint8_t *const end = p + turns * x_step;
        const uint8_t *w0 = dot.w0 + w;
        const uint8_t *w1 = dot.w1 + w;
        const uint8_t *w2 = dot.w2 + w;
        const uint8_t *w3 = dot.w3 + w;
        do {
            const int32_t x0 = qmcu_code(p, 0u, format);
            const int32_t x1 = qmcu_code(p, 1u, format);
            dot.acc0 = mac2(dot.acc0, w0, weight_bits, x0, x1);
            dot.acc1 = mac2(dot.acc1, w1, weight_bits, x0, x1);
            dot.acc2 = mac2(dot.acc2, w2, weight_bits, x0, x1);
            dot.acc3 = mac2(dot.acc3, w3, weight_bits, x0, x1);
            if (group == 4u) {
                const uint32_t half = w_step / 2u;
                const int32_t x2 = qmcu_code(p, 2u, format);
                const int32_t x3 = qmcu_code(p, 3u, format);
                dot.acc0 = mac2(dot.acc0, w0 + half, weight_bits, x2, x3);
                dot.acc1 = mac2(dot.acc1, w1 + half, weight_bits, x2, x3);
                dot.acc2 = mac2(dot.acc2, w2 + half, weight_bits, x2, x3);
                dot.acc3 = mac2(dot.acc3, w3 + half, weight_bits, x2, x3);
            }
            w0 += w_step;
            w1 += w_step;
            w2 += w_step;
            w3 += w_step;
            p += x_step;
        } while (p != end);
        k += turns * group;
    }
    for (; k < n; k++) {
        qmcu_dot4_one(&dot, qmcu_code(x, xi + k, format), wi + k, weight_bits);
    }
    *into = dot;
}

#define RUN(name, format, weight_bits)                                                                        \
    QMCU_KERNEL static void name(qmcu_dot4 *dot, const uint8_t *x, uint32_t xi, uint32_t wi, uint32_t n)      \
    {                                                                                                         \
        run(format, weight_bits, dot, x, xi, wi, n);                                                          \
    }

RUN(run_u2_w4, QMCU_U2, 4u)
RUN(run_s2_w4, QMCU_S2, 4u)
RUN(run_u4_w4, QMCU_U4, 4u)
RUN(run_s4_w4, QMCU_S4, 4u)
RUN(run_u8_w4, QMCU_U8, 4u)
RUN(run_s8_w4, QMCU_S8, 4u)
RUN(run_u2_w8, QMCU_U2, 8u)
RUN(run_s2_w8, QMCU_S2, 8u)
RUN(run_u4_w8, QMCU_U4, 8u)
RUN(run_s4_w8, QMCU_S4, 8u)
RUN(run_u8_w8, QMCU_U8, 8u)
RUN(run_s8_w8, QMCU_S8, 8u)

/* Indexed by the format's number: QMCU_U2, QMCU_S2, ... QMCU_S8. */
static qmcu_dot4_run *const runs_w4[6] = { run_u2_w4, run_s2_w4, run_u4_w4, run_s4_w4, run_u8_w4, run_s8_w4 };
static qmcu_dot4_run *const runs_w8[6] = { run_u2_w8, run_s2_w8, run_u4_w8, run_s4_w8, run_u8_w8, run_s8_w8 };

qmcu_dot4_run *qmcu_dot4_run_of(uint32_t format, uint32_t weight_bits)
{
    return weight_bits == 4u ? runs_w4[format] : runs_w8[format];
}
