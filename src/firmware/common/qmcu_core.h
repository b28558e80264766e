/*
 * QuantMCU runtime: which kernels are compiled, by the compiler's feature macros. One of the three is 1: QMCU_MVE for
 * vectors (Helium: Cortex-M55, M85 ...), QMCU_DSP for Arm's DSP extension (Cortex-M4, M7, M33 ...), QMCU_PLAIN for all
 * other cores. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CORE_H
#define QMCU_CORE_H

#include "quantmcu.h"

/*
 * Where the build does not optimize for speed or size (a Debug preset: -O0, -Og), GCC does so for these files:
 * unoptimized, the inner loops take thirty times as long and three times the stack. QMCU_KEEP_OPTIMIZATION leaves all
 * to the build, e.g. -O3.
 */
#if defined(__GNUC__) && !defined(__clang__) && !defined(__OPTIMIZE__) && !defined(QMCU_KEEP_OPTIMIZATION)
#pragma GCC optimize("O2")
#endif

#ifndef QMCU_MVE
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1) && !defined(__ARM_BIG_ENDIAN)
#define QMCU_MVE 1
#else
#define QMCU_MVE 0
#endif
#endif

/* Not where compilers do not optimize: inlined functions then keep all the code that their constants would leave out.
 */
#if defined(__ARM_FEATURE_DSP) && defined(__OPTIMIZE__) && (defined(__GNUC__) || defined(__clang__)) && \
    !defined(__ARM_BIG_ENDIAN)
#define QMCU_HAS_DSP 1
#else
#define QMCU_HAS_DSP 0
#endif

/* 1: the kernels for the DSP extension, with its instructions in plain C (qmcu_dsp_emulated.h). */
#ifndef QMCU_EMULATE_DSP
#if defined(QMCU_DSP) && QMCU_DSP && !QMCU_HAS_DSP
#if defined(__riscv) || defined(__XTENSA__) || (defined(__arm__) && !defined(__ARM_FEATURE_DSP))
#error \
    "These sources are for cores with the DSP extension (Cortex-M4, M7, M33) slow here: generate them for this board"
#endif
#define QMCU_EMULATE_DSP 1
#else
#define QMCU_EMULATE_DSP 0
#endif
#endif

#ifndef QMCU_DSP
#if QMCU_EMULATE_DSP || (QMCU_HAS_DSP && !QMCU_MVE)
#define QMCU_DSP 1
#else
#define QMCU_DSP 0
#endif
#endif

#if !QMCU_DSP && !QMCU_MVE
#define QMCU_PLAIN 1
#else
#define QMCU_PLAIN 0
#endif

#endif /* QMCU_CORE_H */
