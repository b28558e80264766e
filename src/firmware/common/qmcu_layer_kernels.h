/*
 * QuantMCU runtime: kernels made for one layer, whose bits, lengths, strides and shifts are constants of their loops.
 * Not part of the interface: generated code defines such kernels with these macros. Where the loops that they are made
 * for do not exist (cores without the DSP extension) they are calls of the kernels for all layers, which compute the
 * same.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_LAYER_KERNELS_H
#define QMCU_LAYER_KERNELS_H

/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_conv2d_dsp_blocks.h"
#include "qmcu_conv2d_dsp_packed_blocks.h"
#include "qmcu_depthwise2d_dsp.h"

/*
 * Defines `name` as qmcu_conv2d for layers without groups whose output has an even number of channels. The numbers are
 * those of qmcu_block_shape; params, in and out of every call agree with them.
 */
#if QMCU_DSP
#define QMCU_SPECIAL_CONV2D_BLOCK(name, length, weight_bits, format, bounded, folded, pre_shift, shift, bias_shift, \
                                  pixel_bytes)                                                                      \
    static const qmcu_block_shape name##_shape = {length,    weight_bits, format,     bounded,    folded,           \
                                                  pre_shift, shift,       bias_shift, pixel_bytes};                 \
    QMCU_KERNEL static void name##_block(const qmcu_block *block)                                                   \
    {                                                                                                               \
        qmcu_block_all(&name##_shape, 0, block);                                                                    \
    }
#define QMCU_SPECIAL_CONV2D(name, length, weight_bits, format, bounded, folded, pre_shift, shift, bias_shift,   \
                            pixel_bytes)                                                                        \
    QMCU_SPECIAL_CONV2D_BLOCK(name, length, weight_bits, format, bounded, folded, pre_shift, shift, bias_shift, \
                              pixel_bytes)                                                                      \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)                        \
    {                                                                                                           \
        if (QMCU_BLOCK_FITS(length)) {                                                                          \
            qmcu_convolve_by(&name##_shape, name##_block, params, in, out, NULL);                               \
        } else {                                                                                                \
            qmcu_conv2d(params, in, out);                                                                       \
        }                                                                                                       \
    }
#else
#define QMCU_SPECIAL_CONV2D(name, length, weight_bits, format, bounded, folded, pre_shift, shift, bias_shift, \
                            pixel_bytes)                                                                      \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)                      \
    {                                                                                                         \
        qmcu_conv2d(params, in, out);                                                                         \
    }
#endif

/* The same for columns that are too long for the stack: calls bring scratch for four of them, of an even number of
 * codes.
 */
#if QMCU_DSP
#define QMCU_SPECIAL_LONG_CONV2D(name, length, weight_bits, format, bounded, folded, pre_shift, shift, bias_shift, \
                                 pixel_bytes)                                                                      \
    QMCU_SPECIAL_CONV2D_BLOCK(name, length, weight_bits, format, bounded, folded, pre_shift, shift, bias_shift,    \
                              pixel_bytes)                                                                         \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out, int16_t *scratch)         \
    {                                                                                                              \
        qmcu_convolve_by(&name##_shape, name##_block, params, in, out, scratch);                                   \
    }
#else
#define QMCU_SPECIAL_LONG_CONV2D(name, length, weight_bits, format, bounded, folded, pre_shift, shift, bias_shift, \
                                 pixel_bytes)                                                                      \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out, int16_t *scratch)         \
    {                                                                                                              \
        (void)scratch;                                                                                             \
        qmcu_conv2d(params, in, out);                                                                              \
    }
#endif

/*
 * Defines `name` as qmcu_conv2d with weights as qmcu_conv2d_dsp_packed.h takes them, for layers as
 * qmcu_conv2d_dsp_packed_blocks.h says. The numbers are those of qmcu_pack_shape; the last argument is the list of its
 * limits, in parentheses.
 */
#define QMCU_SPECIAL_PACKED_SHAPE(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift, \
                                  pixel_bytes, limits)                                                                 \
    static const uint32_t name##_limits[] = {QMCU_SPECIAL_LIST limits};                                                \
    static const qmcu_pack_shape name##_shape = {kind,   length,  padded,    unit,  unroll,      always,               \
                                                 format, bounded, pre_shift, shift, pixel_bytes, name##_limits};
#define QMCU_SPECIAL_LIST(...) __VA_ARGS__
#define QMCU_SPECIAL_PACKED_BLOCK(name, parts)                                       \
    QMCU_KERNEL QMCU_APART static void name##_segments(const qmcu_pack_block *block) \
    {                                                                                \
        qmcu_pack_all(&name##_shape, parts, block);                                  \
    }                                                                                \
    QMCU_KERNEL static void name##_block(const qmcu_pack_block *block)               \
    {                                                                                \
        if (!(parts) && (name##_shape.always || block->flushes == 1u)) {             \
            qmcu_pack_once(&name##_shape, block);                                    \
        } else {                                                                     \
            name##_segments(block);                                                  \
        }                                                                            \
    }
/* The functions themselves: columns on the stack, and in scratch that calls bring. */
#define QMCU_SPECIAL_PACKED_CALL(name, padded)                                           \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out) \
    {                                                                                    \
        if (QMCU_PACK_FITS(padded) || QMCU_PACK_HAS_PARTS) {                             \
            qmcu_convolve_packed(&name##_shape, name##_block, params, in, out, NULL);    \
        } else {                                                                         \
            qmcu_convolve_packed_plain(&name##_shape, params, in, out);                  \
        }                                                                                \
    }
#define QMCU_SPECIAL_PACKED_CALL_LONG(name)                                                                \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out, int16_t *scratch) \
    {                                                                                                      \
        qmcu_convolve_packed(&name##_shape, name##_block, params, in, out, scratch);                       \
    }
#if QMCU_DSP
#define QMCU_SPECIAL_PACKED(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift,   \
                            pixel_bytes, limits)                                                                   \
    QMCU_SPECIAL_PACKED_SHAPE(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift, \
                              pixel_bytes, limits)                                                                 \
    QMCU_SPECIAL_PACKED_BLOCK(name, !QMCU_PACK_FITS(padded))                                                       \
    QMCU_SPECIAL_PACKED_CALL(name, padded)
#else
#define QMCU_SPECIAL_PACKED(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift,   \
                            pixel_bytes, limits)                                                                   \
    QMCU_SPECIAL_PACKED_SHAPE(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift, \
                              pixel_bytes, limits)                                                                 \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)                           \
    {                                                                                                              \
        qmcu_convolve_packed_plain(&name##_shape, params, in, out);                                                \
    }
#endif

/* The same with a block that layers share: it has the kind, unroll, format, bounded and shift as constants alone, and
 * compilers make one of those that are equal. */
#if QMCU_DSP
#define QMCU_SPECIAL_SHARED_BLOCK(name, kind, unroll, format, bounded, shift)                                    \
    QMCU_KERNEL static void name##_block(const qmcu_pack_block *block)                                           \
    {                                                                                                            \
        static const qmcu_pack_shape like = {kind, 0u, 0u, 0u, unroll, 0u, format, bounded, 0u, shift, 0, NULL}; \
        qmcu_pack_shared(&like, block);                                                                          \
    }
#define QMCU_SPECIAL_SHARED_PACKED(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift,   \
                                   shift, pixel_bytes, limits)                                                     \
    QMCU_SPECIAL_PACKED_SHAPE(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift, \
                              pixel_bytes, limits)                                                                 \
    QMCU_SPECIAL_SHARED_BLOCK(name, kind, unroll, format, bounded, shift)                                          \
    QMCU_SPECIAL_PACKED_CALL(name, padded)
#else
#define QMCU_SPECIAL_SHARED_PACKED QMCU_SPECIAL_PACKED
#endif

/* The same for columns that are too long for the stack: calls bring scratch for four of them, see
 * qmcu_conv2d_dsp_packed_blocks.h. */
#if QMCU_DSP
#define QMCU_SPECIAL_LONG_PACKED(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift, \
                                 pixel_bytes, limits)                                                                 \
    QMCU_SPECIAL_PACKED_SHAPE(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift,    \
                              pixel_bytes, limits)                                                                    \
    QMCU_SPECIAL_PACKED_BLOCK(name, 0)                                                                                \
    QMCU_SPECIAL_PACKED_CALL_LONG(name)
#else
#define QMCU_SPECIAL_LONG_PACKED(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift, \
                                 pixel_bytes, limits)                                                                 \
    QMCU_SPECIAL_PACKED_SHAPE(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift,    \
                              pixel_bytes, limits)                                                                    \
    void name(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out, int16_t *scratch)            \
    {                                                                                                                 \
        (void)scratch;                                                                                                \
        qmcu_convolve_packed_plain(&name##_shape, params, in, out);                                                   \
    }
#endif

/* The same with a block that layers share. */
#if QMCU_DSP
#define QMCU_SPECIAL_SHARED_LONG_PACKED(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, \
                                        shift, pixel_bytes, limits)                                                   \
    QMCU_SPECIAL_PACKED_SHAPE(name, kind, length, padded, unit, unroll, always, format, bounded, pre_shift, shift,    \
                              pixel_bytes, limits)                                                                    \
    QMCU_SPECIAL_SHARED_BLOCK(name, kind, unroll, format, bounded, shift)                                             \
    QMCU_SPECIAL_PACKED_CALL_LONG(name)
#else
#define QMCU_SPECIAL_SHARED_LONG_PACKED QMCU_SPECIAL_LONG_PACKED
#endif

/* Whether some layer needs the function for all layers. */
#define QMCU_DEPTHWISE2D_ALL (QMCU_DEPTHWISE2D_TAPS || QMCU_DEPTHWISE2D_ROWS != 0u)

/* Defines `name` as qmcu_depthwise2d for layers with 3 x 3 or 5 x 5 kernels and an even number of channels; see
 * qmcu_row_shape. Maps whose groups of columns with this many rows do not fit the stack are left to qmcu_depthwise2d.
 * With pixel_bytes 0 layers share it: it has loops for bounds alone then, not those without beside them. */
#if QMCU_DSP
#define QMCU_SPECIAL_DEPTHWISE2D(name, kernel, stride, rows, format, bounded, pre_shift, shift, pixel_bytes)   \
    static const qmcu_row_shape name##_shape = {kernel, stride,      format, bounded, pre_shift,               \
                                                shift,  pixel_bytes, rows,   0u};                              \
    static const qmcu_row_shape name##_unbounded = {                                                           \
        kernel, stride, format, (pixel_bytes) == 0 ? (bounded) : 0u, pre_shift, shift, pixel_bytes, rows, 0u}; \
    QMCU_KERNEL static void name##_row(const qmcu_row *row)                                                    \
    {                                                                                                          \
        qmcu_rows_all(&name##_shape, &name##_unbounded, row);                                                  \
    }                                                                                                          \
    void name(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)                  \
    {                                                                                                          \
        if (!qmcu_depthwise_by(&name##_shape, name##_row, params, in, out) && QMCU_DEPTHWISE2D_ALL) {          \
            qmcu_depthwise2d(params, in, out);                                                                 \
        }                                                                                                      \
    }
#else
#define QMCU_SPECIAL_DEPTHWISE2D(name, kernel, stride, rows, format, bounded, pre_shift, shift, pixel_bytes) \
    void name(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)                \
    {                                                                                                        \
        qmcu_depthwise2d(params, in, out);                                                                   \
    }
#endif

/* Defines `name` as qmcu_depthwise2d for layers with 3 x 3 kernels, stride 1, no padding codes and an even number of
 * channels, whose weights are as qmcu_depthwise2d_dsp_polynomial.h takes them. */
#if QMCU_DSP
#define QMCU_SPECIAL_POLYNOMIAL(name, rows, format, bounded, pre_shift, shift, pixel_bytes)                        \
    static const qmcu_row_shape name##_shape = {3u, 1u, format, bounded, pre_shift, shift, pixel_bytes, rows, 1u}; \
    QMCU_KERNEL static void name##_row(const qmcu_row *row)                                                        \
    {                                                                                                              \
        qmcu_rows_all(&name##_shape, &name##_shape, row); /* without bounds its code would double */               \
    }                                                                                                              \
    void name(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)                      \
    {                                                                                                              \
        if (!qmcu_depthwise_by(&name##_shape, name##_row, params, in, out) && QMCU_DEPTHWISE2D_ALL) {              \
            qmcu_depthwise2d(params, in, out);                                                                     \
        }                                                                                                          \
    }
#else
#define QMCU_SPECIAL_POLYNOMIAL(name, rows, format, bounded, pre_shift, shift, pixel_bytes)   \
    void name(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out) \
    {                                                                                         \
        qmcu_depthwise2d(params, in, out);                                                    \
    }
#endif

#endif /* QMCU_LAYER_KERNELS_H */
