/*
 * QuantMCU runtime: integer kernels for mixed-precision, patch-based inference.
 *
 * C99, no dynamic memory, no globals except constants, no floating point, at most 512 bytes of stack per kernel;
 * qmcu_conv2d, qmcu_depthwise2d and qmcu_fully_connected take 1152 and QMCU_COLUMN_BYTES (quantmcu_port.h).
 * Every kernel exists for all combinations of 8-, 4- and 2-bit, signed and unsigned feature maps; layers with
 * weights take 8- and 4-bit weights. Those whose names end in _s16 are for calls of which a map has 16 bits; their
 * weights have 8.
 *
 * Codes in memory
 *   A feature map is row-major H x W x C. Each pixel starts on a byte; its channels are packed low bits first:
 *   channel c at bit (c * bits) mod 8 of byte c * bits / 8. Signed codes are two's complement in their bits.
 *   Unused bits of a pixel's last byte are written as 0 and never read. Codes of 16 bits are signed, in the core's
 *   order of bytes.
 *
 * Arithmetic
 *   `>>` is an arithmetic shift (floor), mulhi(a, m) = floor(a * m / 2^32) of signed 32-bit values, accumulators
 *   are int32. None of the operations named below overflows: the generator checked the bounds.
 *
 * Overlap of output and input
 *   Some kernels may overwrite an input that is no longer needed. They keep this order:
 *   - qmcu_conv2d, qmcu_depthwise2d, qmcu_max_pool, qmcu_average_pool: output rows from top to bottom; from the
 *     first write to output row oy on, only input rows >= max(0, oy * stride_h - pad_top) are read.
 *     qmcu_resize: likewise with input rows >= rows[2 * oy].
 *   - qmcu_add, qmcu_mul, qmcu_requantize, qmcu_lookup, qmcu_prelu, qmcu_copy: pixels in row-major order, channels
 *     upward; all codes of an output byte are read before it is written. A broadcast input must not overlap.
 *   - kernels for 16 bits as those that they are named after;
 *   - qmcu_fully_connected (and ..._twins), qmcu_softmax, qmcu_normalize, qmcu_permute, qmcu_fill, qmcu_classify: no
 *     overlap.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUANTMCU_H
#define QUANTMCU_H

#include <stddef.h>
#include <stdint.h>

#include "quantmcu_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Incremented when the interface that generated code relies on changes; sources with another number must be generated
 * again. */
#define QMCU_INTERFACE 1

/* Format of codes: unsigned or signed, and their bits. */
#define QMCU_U2 0u
#define QMCU_S2 1u
#define QMCU_U4 2u
#define QMCU_S4 3u
#define QMCU_U8 4u
#define QMCU_S8 5u
#define QMCU_S16 7u

/*
 * A region of a feature map in memory: all of it, some of its rows and columns, or a slice of its channels.
 * A slice begins at a byte; where a kernel writes one, it ends at a byte or with the map's last channel.
 */
typedef struct {
    uint8_t *data;       /* first byte of the first channel of the region's first pixel */
    int32_t h;           /* rows of the region */
    int32_t w;           /* columns */
    int32_t channels;    /* channels of the slice */
    int32_t pixel_bytes; /* from one pixel to the next, >= ceil(channels * bits / 8) */
    int32_t row_bytes;   /* from one row to the next, >= w * pixel_bytes */
    uint32_t format;     /* QMCU_U2 ... QMCU_S16 */
} qmcu_map;

/*
 * Sliding window. Output pixel (oy, ox) reads input rows oy * stride_h - pad_top + ky * dilation_h, ky = 0 ... kernel_h
 * - 1, columns likewise; rows and columns outside the input region are padding. Negative pads skip rows and columns.
 */
typedef struct {
    int16_t kernel_h;
    int16_t kernel_w;
    int16_t stride_h;
    int16_t stride_w;
    int16_t dilation_h;
    int16_t dilation_w;
    int16_t pad_top;
    int16_t pad_left;
} qmcu_window;

/*
 * From accumulator to code, for output channel c:
 *   a    = acc + (bias_shift >= 0 ? bias[c] << bias_shift : (bias[c] + (1 << (-bias_shift - 1))) >> -bias_shift)
 *   y    = (mulhi(a << pre_shift, multiplier[c]) + (1 << (shift - 1))) >> shift
 *   code = min(max(y, min), max)
 */
typedef struct {
    const int32_t *bias;       /* [C] */
    const int32_t *multiplier; /* [C], >= 0 */
    const int16_t *max_table;  /* [C], upper bound by channel; NULL: `max` for all */
    int8_t bias_shift;         /* -31 ... 31 */
    uint8_t pre_shift;         /* 0 ... 31 */
    uint8_t shift;             /* 1 ... 31 */
    int16_t min;
    int16_t max;
} qmcu_requant;

/*
 * Sum of one or two scaled codes, for channel c:
 *   y    = (x0 * m0[c] + x1 * m1[c] + offset[c]) >> shift
 *   code = min(max(y, min), max)
 * If a table is NULL, the plain value next to it applies to all channels. In qmcu_add_s16, a code of at most 8 bits
 * counts 128 times where the other input has 16.
 */
typedef struct {
    const int16_t *multiplier_table[2]; /* [C] each, or NULL */
    const int32_t *offset_table;        /* [C], or NULL */
    int32_t offset;
    int16_t multiplier[2]; /* the second is unused by qmcu_requantize */
    uint8_t shift;         /* 0 ... 31 */
    int16_t min;
    int16_t max;
} qmcu_scaled_sum;

/*
 * Called after every step of an inference, for a watchdog, a scheduler or to end it: `output` is what the step wrote,
 * or NULL for a flag. Returns 0 to continue; anything else ends the inference.
 */
typedef struct {
    int (*after)(void *context, int32_t step, const qmcu_map *output);
    void *context; /* passed unchanged */
} qmcu_watch;

/*
 * Weights: 8 bits: int8_t. 4 bits: two to a byte, the first in the low nibble, two's complement.
 *   qmcu_conv2d, qmcu_fully_connected
 *       The rows of the output channels, kernel_h * kernel_w * (C_in / group) or h * w * C_in weights each, in
 * pairs: first weights of both, second weights of both ... A group of an odd number of output channels ends with a row
 * of zeros. 4 bits: of each four places of a row, as long as there are four, the second and third are exchanged.
 *   qmcu_depthwise2d
 *       Rows of the C weights of one kernel position (ky, kx). Every row starts on a byte (one of odd length and 4 bits
 * ends with an unused high nibble).
 */

typedef struct {
    qmcu_window window;
    const void *weights;      /* [C_out / 2][kernel_h][kernel_w][C_in / group][2] */
    const int16_t *pad_codes; /* [C_in], code of padding by channel; NULL: 0 */
    qmcu_requant requant;
    int32_t group;       /* divides C_in and C_out */
    uint8_t weight_bits; /* 8 or 4 */
    /*
     * For cores without DSP and vector instructions: products of a row's neighbouring weights, from any multiple of 4
     * on, whose sums stay in 16 bits, whatever the codes are; a multiple of 4. 0: as few as any weights would allow.
     */
    uint16_t run;
} qmcu_conv2d_params;

typedef struct {
    qmcu_window window;
    const void *weights;      /* [kernel_h][kernel_w][C] */
    const int16_t *pad_codes; /* [C], or NULL: 0 */
    qmcu_requant requant;
    uint8_t weight_bits; /* 8 or 4 */
} qmcu_depthwise2d_params;

typedef struct {
    const void *weights; /* [C_out / 2][h * w * C_in][2] */
    qmcu_requant requant;
    uint8_t weight_bits; /* 8 or 4 */
} qmcu_fully_connected_params;

typedef struct {
    int16_t zeros[2]; /* zero points of the two inputs */
    qmcu_requant requant;
} qmcu_mul_params;

/*
 * y = (mulhi(acc << pre_shift, multiplier[i]) + offset[i]) >> shift, clamped to [min, max], where i is the channel when
 * per_channel, and otherwise (rows - 1) * kernel_w + (columns - 1) for the rows and columns of the window that lie
 * inside the input region.
 */
typedef struct {
    qmcu_window window;
    const int32_t *multiplier;
    const int32_t *offset;
    uint8_t per_channel; /* 0 or 1 */
    uint8_t pre_shift;   /* 0 ... 31 */
    uint8_t shift;       /* 0 ... 31 */
    int16_t min;
    int16_t max;
} qmcu_average_pool_params;

/* y = (x * (x >= 0 ? positive[c] : negative[c]) + offset) >> shift, clamped to [min, max]. */
typedef struct {
    const int16_t *positive_table; /* [C]; NULL: `positive` for all channels */
    const int16_t *negative;       /* [C] */
    int32_t offset;
    int16_t positive;
    uint8_t shift; /* 0 ... 31 */
    int16_t min;
    int16_t max;
} qmcu_prelu_params;

/*
 * S = sum of the codes of a pixel, Q = sum of their squares, C channels. Centered: d = C * code - S, V = C * Q - S^2 +
 * epsilon; otherwise d = code - zero_in, V = sum of d^2 + epsilon; V is at least 1. v = floor(V / 4^t) in [2^30, 2^32),
 * r = min(65535, 2^31 / floor(sqrt(v))), s = shift + t within 1 ... 31;
 * code = ((mulhi(d << pre_shift, r * multiplier) + 2^(s - 1)) >> s) + zero_out, clamped to [min, max].
 */
typedef struct {
    uint64_t epsilon;   /* <= 2^52 */
    int32_t multiplier; /* 0 ... 32767 */
    int16_t zero_in;    /* zero points; that of the input is unused when centered */
    int16_t zero_out;
    uint8_t centered;  /* 0 or 1 */
    uint8_t pre_shift; /* 0 ... 31 */
    uint8_t shift;
    int16_t min;
    int16_t max;
} qmcu_normalize_params;

/*
 * rows: per output row the first source row (of the input region) and the weight of the row after it in 1/256, 0 where
 * there is no row after it; cols likewise per output column.
 */
typedef struct {
    const int16_t *rows; /* [output h][2] */
    const int16_t *cols; /* [output w][2] */
    uint8_t linear;      /* 1: bilinear, 0: nearest (weights are not read) */
} qmcu_resize_params;

/*
 * Output element i is input element index[i], both in H, W, C order. Exactly one of the tables is not NULL. With
 * counters, pairs of a size and a stride, index[i] is first plus the sum of each counter's digit times its stride, i
 * written in the mixed radix of the sizes, outermost first.
 */
#define QMCU_PERMUTE_COUNTERS 8
typedef struct {
    const uint16_t *index16;
    const int32_t *index32;
    const int32_t *counters; /* [count][2], count from 1 to QMCU_PERMUTE_COUNTERS */
    int32_t first;
    uint8_t count;
} qmcu_permute_params;

/*
 * 2-D convolution: acc[oy, ox, o] = sum over ky, kx, i of w[o, ky, kx, i] * x[row, column, g * (C_in / group) + i],
 * g = o / (C_out / group); then qmcu_requant. Padding counts with pad_codes.
 */
void qmcu_conv2d(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* Convolution with one filter per channel: acc[oy, ox, c] = sum over ky, kx of w[ky, kx, c] * x[row, column, c]. */
void qmcu_depthwise2d(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);

/* acc[o] = sum over all codes of the input region in H, W, C order of w[o, i] * x[i]. Output 1 x 1 x C_out. */
void qmcu_fully_connected(const qmcu_fully_connected_params *params, const qmcu_map *in, const qmcu_map *out);

/*
 * The same with 8-bit weights in twins, int16_t[C_out / 4][length / 2][2][2] with rows and places of zeros up to the
 * next multiples of 4: of each four rows and two places 256 * w[first row] + w[second row], then those of the third and
 * fourth row. For cores with the DSP extension.
 */
void qmcu_fully_connected_twins(const qmcu_fully_connected_params *params, const qmcu_map *in, const qmcu_map *out);

/* Element-wise scaled sum of two maps. An input of 1 x 1 pixels is broadcast over the output. */
void qmcu_add(const qmcu_scaled_sum *params, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out);

/* The same values with another scale, bits or sign. */
void qmcu_requantize(const qmcu_scaled_sum *params, const qmcu_map *in, const qmcu_map *out);

/* Element-wise product: acc = (x0 - zeros[0]) * (x1 - zeros[1]). An input of 1 x 1 pixels is broadcast. */
void qmcu_mul(const qmcu_mul_params *params, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out);

/* Largest code in the window; padding does not count, and every window has a pixel inside. Same format in and out. */
void qmcu_max_pool(const qmcu_window *window, const qmcu_map *in, const qmcu_map *out);

/* Scaled sum of the codes in the window; padding does not count, and every window has a pixel inside. */
void qmcu_average_pool(const qmcu_average_pool_params *params, const qmcu_map *in, const qmcu_map *out);

/* code = table[x], with x as the unsigned pattern of its bits; 2^bits entries. */
void qmcu_lookup(const int16_t *table, const qmcu_map *in, const qmcu_map *out);

/* PRelu and LeakyRelu. */
void qmcu_prelu(const qmcu_prelu_params *params, const qmcu_map *in, const qmcu_map *out);

/* Copies codes. Same size and bits. */
void qmcu_copy(const qmcu_map *in, const qmcu_map *out);

/* Every pixel becomes codes[0 ... channels - 1]. */
void qmcu_fill(const int16_t *codes, const qmcu_map *out);

/*
 * Resampling of rows and columns, same format in and out:
 * y = (sum of four codes * weights + 32768) >> 16, weights (256 - fy)(256 - fx), (256 - fy) fx, fy (256 - fx), fy fx.
 */
void qmcu_resize(const qmcu_resize_params *params, const qmcu_map *in, const qmcu_map *out);

/*
 * Over the channels (at most 65536) of each pixel: e = table[max code - code], table[0] = 65535, 2^bits entries;
 * code = min(255, (e * one + sum / 2) / sum), 256 <= one <= 32768. The output is QMCU_U8, scale 1/one.
 */
void qmcu_softmax(const uint16_t *table, uint32_t one, const qmcu_map *in, const qmcu_map *out);

/* The channels (at most 65536) of each pixel divided by a measure of their size. */
void qmcu_normalize(const qmcu_normalize_params *params, const qmcu_map *in, const qmcu_map *out);

/* Rearranges elements; 8-bit maps. */
void qmcu_permute(const qmcu_permute_params *params, const qmcu_map *in, const qmcu_map *out);

/* The same where some map is QMCU_S16; of qmcu_fill_s16, qmcu_max_pool_s16, qmcu_resize_s16 and qmcu_permute_s16 all
 * are. qmcu_copy takes them, too. */
void qmcu_conv2d_s16(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out);
void qmcu_depthwise2d_s16(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);
void qmcu_fully_connected_s16(const qmcu_fully_connected_params *params, const qmcu_map *in, const qmcu_map *out);
void qmcu_add_s16(const qmcu_scaled_sum *params, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out);
void qmcu_requantize_s16(const qmcu_scaled_sum *params, const qmcu_map *in, const qmcu_map *out);
void qmcu_mul_s16(const qmcu_mul_params *params, const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out);
void qmcu_max_pool_s16(const qmcu_window *window, const qmcu_map *in, const qmcu_map *out);
void qmcu_average_pool_s16(const qmcu_average_pool_params *params, const qmcu_map *in, const qmcu_map *out);
void qmcu_prelu_s16(const qmcu_prelu_params *params, const qmcu_map *in, const qmcu_map *out);
void qmcu_fill_s16(const int16_t *codes, const qmcu_map *out);
void qmcu_resize_s16(const qmcu_resize_params *params, const qmcu_map *in, const qmcu_map *out);
void qmcu_permute_s16(const qmcu_permute_params *params, const qmcu_map *in, const qmcu_map *out);

/*
 * As qmcu_lookup where the input has fewer than 16 bits. Otherwise the table has every 128th code, 513 in all, between
 * which lie straight lines: with k = (x + 32768) >> 7, code = table[k] + (((table[k + 1] - table[k]) * (x & 127) + 64)
 * >> 7).
 */
void qmcu_lookup_s16(const int16_t *table, const qmcu_map *in, const qmcu_map *out);

/* *flag = 1 when more than `limit` codes of the region lie outside [low, high], else 0. */
void qmcu_classify(int32_t low, int32_t high, int32_t limit, const qmcu_map *in, uint8_t *flag);

#ifdef __cplusplus
}
#endif

#endif /* QUANTMCU_H */
