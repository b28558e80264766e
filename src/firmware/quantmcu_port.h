/*
 * QuantMCU runtime: what depends on the compiler, the linker script or the board.
 *
 * Every macro can be overridden: define it on the command line, or name a header of your own with
 * -DQMCU_PORT_FILE='"my_port.h"'; it is included first.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUANTMCU_PORT_H
#define QUANTMCU_PORT_H

#ifdef QMCU_PORT_FILE
#include QMCU_PORT_FILE
#endif

/*
 * QMCU_ALIGN(n): alignment of an object, n a power of two. Stands before the whole declaration:
 *     QMCU_ALIGN(4) static const int8_t weights[] = { ... };
 */
#ifndef QMCU_ALIGN
#if defined(__GNUC__) || defined(__clang__) || defined(__ARMCC_VERSION)
#define QMCU_ALIGN(n) __attribute__((aligned(n)))
#elif defined(__ICCARM__) || defined(__ICCRISCV__)
#define QMCU_PRAGMA_(text) _Pragma(#text)
#define QMCU_ALIGN(n) QMCU_PRAGMA_(data_alignment = n)
#elif defined(_MSC_VER)
#define QMCU_ALIGN(n) __declspec(align(n))
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define QMCU_ALIGN(n) _Alignas(n)
#else
#error "define QMCU_ALIGN(n) for this compiler, see quantmcu_port.h"
#endif
#endif

/*
 * Where constants go. Stand before the whole declaration, as QMCU_ALIGN does. Empty means where the compiler puts
 * `static const` data: normally flash. Example for external flash:
 *     #define QMCU_SECTION_WEIGHTS __attribute__((section(".qspi_rodata")))
 */
#ifndef QMCU_SECTION_WEIGHTS
#define QMCU_SECTION_WEIGHTS
#endif
/* Bias, multiplier and lookup tables; small and read often. */
#ifndef QMCU_SECTION_TABLES
#define QMCU_SECTION_TABLES
#endif

/* Stands before each kernel's definition, e.g. to run from instruction RAM (ITCM, IRAM_ATTR). */
#ifndef QMCU_KERNEL
#define QMCU_KERNEL
#endif

/* Inner loops are inline functions whose format arguments are constants at every call: they have to be inlined to be fast. */
#ifndef QMCU_INLINE
#if defined(__GNUC__) || defined(__clang__)
#define QMCU_INLINE static inline __attribute__((always_inline, unused))
#elif defined(__ICCARM__) || defined(__ICCRISCV__)
#define QMCU_INLINE _Pragma("inline=forced") static inline
#elif defined(_MSC_VER)
#define QMCU_INLINE static __forceinline
#else
#define QMCU_INLINE static inline
#endif
#endif

/*
 * 1: the high half of a 32 x 32 product is built from 16-bit halves, for cores without a long multiply
 * (Cortex-M0, M0+, M1), where the compiler would call __aeabi_lmul. 0: 64-bit arithmetic. Both give the same bits.
 */
#ifndef QMCU_SPLIT_MULHI
#if defined(__ARM_ARCH_6M__) || (defined(__ARM_ARCH) && __ARM_ARCH < 7 && !defined(__ARM_FEATURE_DSP))
#define QMCU_SPLIT_MULHI 1
#else
#define QMCU_SPLIT_MULHI 0
#endif
#endif

/*
 * Bytes on the stack in which qmcu_conv2d and qmcu_fully_connected unpack the codes under their windows, at least 64. Four pixels at a
 * time take 8 bytes for each weight of an output channel (k * k * C_in); where that is more, fewer pixels share a load of the weights.
 */
#ifndef QMCU_COLUMN_BYTES
#define QMCU_COLUMN_BYTES 2048
#endif

#endif /* QUANTMCU_PORT_H */
