/*
 * QuantMCU runtime: the instructions of qmcu_dsp.h in plain C, so that kernels with the DSP extension also run where it
 * does not exist (on a PC, where tests run) or the compiler does not optimize: to the same bits, slowly. Not part of
 * the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DSP_EMULATED_H
#define QMCU_DSP_EMULATED_H

#if QMCU_EMULATE_DSP

QMCU_INLINE int32_t qmcu_emulated_low(uint32_t a)
{
    return (int16_t)(a & 0xffffu);
}
QMCU_INLINE int32_t qmcu_emulated_high(uint32_t a)
{
    return (int16_t)(a >> 16);
}
QMCU_INLINE uint32_t qmcu_emulated_two_halves(int32_t l, int32_t h)
{
    return ((uint32_t)l & 0xffffu) | (uint32_t)h << 16;
}
QMCU_INLINE uint32_t qmcu_emulated_ror8(uint32_t a)
{
    return a >> 8 | a << 24;
}
QMCU_INLINE int32_t qmcu_emulated_wrap(int64_t a)
{
    return (int32_t)(uint32_t)((uint64_t)a & 0xffffffffu);
}

QMCU_INLINE uint32_t qmcu_sxtb16(uint32_t a)
{
    return qmcu_emulated_two_halves((int8_t)(a & 0xffu), (int8_t)(a >> 16 & 0xffu));
}
QMCU_INLINE uint32_t qmcu_sxtb16_ror8(uint32_t a)
{
    return qmcu_sxtb16(qmcu_emulated_ror8(a));
}
QMCU_INLINE uint32_t qmcu_uxtb16(uint32_t a)
{
    return a & 0x00ff00ffu;
}
QMCU_INLINE uint32_t qmcu_uxtb16_ror8(uint32_t a)
{
    return qmcu_uxtb16(qmcu_emulated_ror8(a));
}
QMCU_INLINE uint32_t qmcu_pkh_low(uint32_t a, uint32_t b)
{
    return (a & 0xffffu) | b << 16;
}
QMCU_INLINE uint32_t qmcu_pkh_high(uint32_t a, uint32_t b)
{
    return (b & 0xffff0000u) | a >> 16;
}
QMCU_INLINE uint32_t qmcu_larger_bytes(uint32_t a, uint32_t b)
{
    uint32_t r = 0u;
    for (uint32_t i = 0u; i < 32u; i += 8u) {
        const uint32_t x = a >> i & 0xffu;
        const uint32_t y = b >> i & 0xffu;
        r |= (x > y ? x : y) << i;
    }
    return r;
}
QMCU_INLINE uint32_t qmcu_ssub16(uint32_t a, uint32_t b)
{
    return qmcu_emulated_two_halves(qmcu_emulated_low(a) - qmcu_emulated_low(b),
                                    qmcu_emulated_high(a) - qmcu_emulated_high(b));
}
QMCU_INLINE int32_t qmcu_smlad(uint32_t a, uint32_t b, int32_t acc)
{
    return qmcu_emulated_wrap((int64_t)acc + (int64_t)qmcu_emulated_low(a) * qmcu_emulated_low(b) +
                              (int64_t)qmcu_emulated_high(a) * qmcu_emulated_high(b));
}
QMCU_INLINE uint32_t qmcu_smuad(uint32_t a, uint32_t b)
{
    return (uint32_t)qmcu_smlad(a, b, 0);
}
QMCU_INLINE int32_t qmcu_smlabb(uint32_t a, uint32_t b, int32_t acc)
{
    return qmcu_emulated_wrap((int64_t)acc + qmcu_emulated_low(a) * qmcu_emulated_low(b));
}
QMCU_INLINE int32_t qmcu_smlatt(uint32_t a, uint32_t b, int32_t acc)
{
    return qmcu_emulated_wrap((int64_t)acc + qmcu_emulated_high(a) * qmcu_emulated_high(b));
}
QMCU_INLINE int32_t qmcu_smmla(int32_t a, int32_t b, int32_t c)
{
    return qmcu_emulated_wrap((int64_t)c + ((int64_t)a * b >> 32));
}
QMCU_INLINE qmcu_long qmcu_smlal(uint32_t a, uint32_t b, qmcu_long acc)
{
    const uint64_t sum = ((uint64_t)acc.high << 32 | acc.low) + (uint64_t)((int64_t)(int32_t)a * (int32_t)b);
    const qmcu_long r = {(uint32_t)(sum & 0xffffffffu), (uint32_t)(sum >> 32)};
    return r;
}
QMCU_INLINE uint32_t qmcu_insert10(uint32_t a, uint32_t b)
{
    return (a & ~0x3ff0u) | (b & 0x3ffu) << 4;
}
QMCU_INLINE int32_t qmcu_smlawb(int32_t a, uint32_t b, int32_t c)
{
    return qmcu_emulated_wrap(c + ((int64_t)a * qmcu_emulated_low(b) >> 16));
}
QMCU_INLINE int32_t qmcu_smlawt(int32_t a, uint32_t b, int32_t c)
{
    return qmcu_emulated_wrap(c + ((int64_t)a * qmcu_emulated_high(b) >> 16));
}
QMCU_INLINE uint32_t qmcu_field(uint32_t a, uint32_t from, uint32_t bits)
{
    return a >> from & ((1u << bits) - 1u);
}
QMCU_INLINE int32_t qmcu_ssat8(int32_t a)
{
    return a < -128 ? -128 : a > 127 ? 127 : a;
}
QMCU_INLINE int32_t qmcu_ssat4(int32_t a)
{
    return a < -8 ? -8 : a > 7 ? 7 : a;
}
QMCU_INLINE int32_t qmcu_ssat2(int32_t a)
{
    return a < -2 ? -2 : a > 1 ? 1 : a;
}
QMCU_INLINE int32_t qmcu_usat8(int32_t a)
{
    return a < 0 ? 0 : a > 255 ? 255 : a;
}
QMCU_INLINE int32_t qmcu_usat4(int32_t a)
{
    return a < 0 ? 0 : a > 15 ? 15 : a;
}
QMCU_INLINE int32_t qmcu_usat2(int32_t a)
{
    return a < 0 ? 0 : a > 3 ? 3 : a;
}
QMCU_INLINE int32_t qmcu_ssat8_shifted(int32_t a, uint32_t n)
{
    return qmcu_ssat8(a >> n);
}
QMCU_INLINE int32_t qmcu_ssat4_shifted(int32_t a, uint32_t n)
{
    return qmcu_ssat4(a >> n);
}
QMCU_INLINE int32_t qmcu_usat8_shifted(int32_t a, uint32_t n)
{
    return qmcu_usat8(a >> n);
}
QMCU_INLINE int32_t qmcu_usat4_shifted(int32_t a, uint32_t n)
{
    return qmcu_usat4(a >> n);
}
QMCU_INLINE int32_t qmcu_ssat2_shifted(int32_t a, uint32_t n)
{
    return qmcu_ssat2(a >> n);
}
QMCU_INLINE int32_t qmcu_usat2_shifted(int32_t a, uint32_t n)
{
    return qmcu_usat2(a >> n);
}
QMCU_INLINE int32_t qmcu_smlabt(uint32_t a, uint32_t b, int32_t acc)
{
    return qmcu_emulated_wrap((int64_t)acc + qmcu_emulated_low(a) * qmcu_emulated_high(b));
}
QMCU_INLINE int32_t qmcu_smlatb(uint32_t a, uint32_t b, int32_t acc)
{
    return qmcu_emulated_wrap((int64_t)acc + qmcu_emulated_high(a) * qmcu_emulated_low(b));
}
QMCU_INLINE int32_t qmcu_smlatb_from(uint32_t a, uint32_t b, int32_t acc)
{
    return qmcu_smlatb(a, b, acc);
}
QMCU_INLINE int32_t qmcu_smlad_from(uint32_t a, uint32_t b, int32_t acc)
{
    return qmcu_smlad(a, b, acc);
}

QMCU_INLINE uint32_t qmcu_high_nibbles(uint32_t a)
{
    return a & 0xf0f0f0f0u;
}

QMCU_INLINE uint32_t qmcu_emulated_byte_of(uint32_t a, uint32_t i)
{
    return a >> (8u * i) & 0xffu;
}

QMCU_INLINE uint32_t qmcu_ssub8(uint32_t a, uint32_t b)
{
    uint32_t r = 0;
    for (uint32_t i = 0; i < 4u; i++)
        r |= ((qmcu_emulated_byte_of(a, i) + 256u - qmcu_emulated_byte_of(b, i)) & 0xffu) << (8u * i);
    return r;
}

QMCU_INLINE uint32_t qmcu_uqsub8(uint32_t a, uint32_t b)
{
    uint32_t r = 0;
    for (uint32_t i = 0; i < 4u; i++)
        r |= (qmcu_emulated_byte_of(a, i) > qmcu_emulated_byte_of(b, i)
                  ? qmcu_emulated_byte_of(a, i) - qmcu_emulated_byte_of(b, i)
                  : 0u)
             << (8u * i);
    return r;
}

#endif /* QMCU_EMULATE_DSP */

#endif /* QMCU_DSP_EMULATED_H */
