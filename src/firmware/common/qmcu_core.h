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
#error "These sources are for cores with the DSP extension (Cortex-M4, M7, M33) slow here: generate them for this board"
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

/*
 * What the programs need that the runtime was generated for; all where nothing is said, and where the stack has other
 * room for columns than was reckoned with. Maps' formats are bits 1 << QMCU_U8 and so on, weights 1: 4 bits, 2: 8 bits.
 */
#if !defined(QMCU_USED_FORMATS) || QMCU_COLUMN_BYTES != 2048
#define QMCU_USES_ALL 1
#else
#define QMCU_USES_ALL 0
#endif

/* Formats of all maps and weights. */
#if QMCU_USES_ALL
#undef QMCU_USED_FORMATS
#define QMCU_USED_FORMATS 191u
#endif

/* Of convolutions and fully connected layers: formats of inputs; weights of layers that blocks of four pixels take and
 * no kernel was made for; layers that no blocks take; how many pixels these and what blocks leave over take at a time,
 * 1, 2 or 4, with weights of 8 and of 4 bits; columns of more codes than the stack has room for, of one pixel (LONG)
 * and of four (PARTS); upper bounds below the largest code and shifts of biases in layers that blocks take but no
 * kernel was made for; packed convolutions, 1: by halves, 2: by words, 4: words joined from unsigned pixels, 8: from
 * signed ones. */
#if QMCU_USES_ALL || !defined(QMCU_CONV2D_INPUTS)
#undef QMCU_CONV2D_INPUTS
#undef QMCU_CONV2D_BLOCKS
#undef QMCU_CONV2D_PIXELS_4
#undef QMCU_CONV2D_PACKED
#undef QMCU_CONV2D_ANY
#undef QMCU_CONV2D_LONG
#undef QMCU_CONV2D_PARTS
#undef QMCU_CONV2D_BOUNDED
#undef QMCU_CONV2D_BIAS_SHIFTS
#undef QMCU_CONV2D_PIXELS
#define QMCU_CONV2D_INPUTS      63u
#define QMCU_CONV2D_BLOCKS      3u
#define QMCU_CONV2D_ANY         1
#define QMCU_CONV2D_LONG        1
#define QMCU_CONV2D_PIXELS      7u
#define QMCU_CONV2D_PIXELS_4    7u
#define QMCU_CONV2D_PARTS       1
#define QMCU_CONV2D_BOUNDED     1
#define QMCU_CONV2D_BIAS_SHIFTS 1
#define QMCU_CONV2D_PACKED      15u
#endif

/* Of depthwise layers: formats of inputs, weights; layers that go tap by tap; kernels and strides of those that go by
 * rows in functions that no layer has for itself, 1: 3 x 3, 2: 3 x 3 with stride 2, 4: 5 x 5, 8: 5 x 5 with stride 2;
 * what goes by rows at all, 1: 3 x 3, 2: 5 x 5, 4: as polynomials. */
#if QMCU_USES_ALL || !defined(QMCU_DEPTHWISE2D_INPUTS)
#undef QMCU_DEPTHWISE2D_INPUTS
#undef QMCU_DEPTHWISE2D_WEIGHTS
#undef QMCU_DEPTHWISE2D_TAPS
#undef QMCU_DEPTHWISE2D_ROWS
#undef QMCU_DEPTHWISE2D_PLANES
#define QMCU_DEPTHWISE2D_INPUTS  63u
#define QMCU_DEPTHWISE2D_WEIGHTS 3u
#define QMCU_DEPTHWISE2D_TAPS    1
#define QMCU_DEPTHWISE2D_ROWS    15u
#define QMCU_DEPTHWISE2D_PLANES  7u
#endif

/* Signs of maps that are added, 1: unsigned, 2: signed; sums with 4-bit codes among them, 1: to 4 bits, 2: to 8 bits,
 * 4: eight at a time. */
#if QMCU_USES_ALL || !defined(QMCU_ADD_INPUTS)
#undef QMCU_ADD_INPUTS
#undef QMCU_ADD_OUTPUTS
#undef QMCU_ADD_NARROW
#define QMCU_ADD_INPUTS  3u
#define QMCU_ADD_OUTPUTS 3u
#define QMCU_ADD_NARROW  7u
#endif

/* A condition that holds by what is used: compilers leave out what is there for others. */
#if !QMCU_USES_ALL && (defined(__GNUC__) || defined(__clang__))
#define QMCU_ASSUME(condition)       \
    do {                             \
        if (!(condition)) {          \
            __builtin_unreachable(); \
        }                            \
    } while (0)
#else
#define QMCU_ASSUME(condition) ((void)0)
#endif

/* That a map's format is one of so many. */
#define QMCU_ASSUME_FORMAT(formats, format)                                                               \
    QMCU_ASSUME((((formats)&1u) != 0u || (format) != 0u) && (((formats)&2u) != 0u || (format) != 1u) &&   \
                (((formats)&4u) != 0u || (format) != 2u) && (((formats)&8u) != 0u || (format) != 3u) &&   \
                (((formats)&16u) != 0u || (format) != 4u) && (((formats)&32u) != 0u || (format) != 5u) && \
                (format) < 6u)

#endif /* QMCU_CORE_H */
