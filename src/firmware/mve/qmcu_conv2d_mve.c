/*
 * QuantMCU runtime: 2-D convolution and fully connected layers for the vector extension Helium.
 *
 * The codes under the windows of some pixels as bytes, where they are not already so in the input; then four output
 * channels at a time. VMLADAVA adds sixteen products to a sum; VLD2 takes the weights of two rows apart.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_conv2d_mve_block.h"

#if QMCU_MVE

/* Bytes of codes on the stack; sixteen more stay 0, so that whole vectors can be read. */
#define COLUMN_CODES (QMCU_COLUMN_BYTES / 16u * 16u)

/* Output channels whose sums are kept where a column is longer than that and goes through the bytes in parts. */
#define LONG_CHANNELS 32

typedef void block_function(const qmcu_mve_convolution *conv, const qmcu_mve_block *pixels, uint32_t g);

#define BLOCK(name, is_unsigned, weight_bits)                                                                \
    QMCU_KERNEL static void name(const qmcu_mve_convolution *conv, const qmcu_mve_block *pixels, uint32_t g) \
    {                                                                                                        \
        qmcu_mve_convolve_block(is_unsigned, weight_bits, conv, pixels, g);                                  \
    }

BLOCK(block_s_w8, 0, 8u)
BLOCK(block_u_w8, 1, 8u)
BLOCK(block_s_w4, 0, 4u)
BLOCK(block_u_w4, 1, 4u)

/* One pixel whose column is longer than the stack's bytes. Not inlined: its sums would lie on the stack of all
 * convolutions. */
static QMCU_MVE_NOINLINE void convolve_long(const qmcu_mve_convolution *conv, uint8_t *column, int32_t y, int32_t x,
                                            uint32_t g, uint8_t *to)
{
    const uint32_t bits = qmcu_bits(conv->out->format);
    const int is_unsigned = conv->columns.in->format == QMCU_U8;
    const int32_t end = ((int32_t)g + 1) * conv->out_channels;
    const int8_t *weights =
        (const int8_t *)conv->weights + g * (uint32_t)((conv->out_channels + 1) / 2) * conv->pair_bytes;
    for (int32_t o = (int32_t)g * conv->out_channels; o < end; o += LONG_CHANNELS) {
        const int32_t count = qmcu_min(LONG_CHANNELS, end - o);
        QMCU_ALIGN(4) int32_t sums[LONG_CHANNELS] = {0};
        for (uint32_t from = 0u; from < conv->length; from += COLUMN_CODES) {
            const uint32_t n = conv->length - from < COLUMN_CODES ? conv->length - from : COLUMN_CODES;
            const qmcu_mve_part t = {column, from, from + n};
            const int8_t *w = weights + 2u * from * conv->columns.weight_bits / 8u;
            qmcu_mve_gather(&conv->columns, y, x, g, &t);
            const int32_t first =
                is_unsigned ? qmcu_mve_first_sum(column, conv->columns.weight_bits == 8u ? n & ~15u : (n + 15u) & ~15u)
                            : 0;
            for (int32_t c = 0; c < count; c += 4) {
                const int8_t *next = count - c > 2 ? w + conv->pair_bytes : w;
                int32x4_t acc;
                if (conv->columns.weight_bits == 8u) {
                    acc = is_unsigned ? qmcu_mve_dot8(1, first, column, w, next, n)
                                      : qmcu_mve_dot8(0, 0, column, w, next, n);
                } else {
                    acc = is_unsigned ? qmcu_mve_dot4(1, first, column, w, next, n)
                                      : qmcu_mve_dot4(0, 0, column, w, next, n);
                }
                vstrwq_s32(sums + c, vaddq_s32(vldrwq_s32(sums + c), acc));
                w = next + conv->pair_bytes;
            }
        }
        for (int32_t c = 0; c < count; c += 4) {
            const int32_t four = qmcu_min(4, count - c);
            const qmcu_mve_channels k = qmcu_mve_channels_from(&conv->scale, o + c, vctp32q((uint32_t)four));
            qmcu_mve_write4(to, bits, o + c, four, qmcu_mve_requantize(&conv->scale, &k, vldrwq_s32(sums + c)));
        }
        weights += (uint32_t)(LONG_CHANNELS / 2) * conv->pair_bytes;
    }
}

/* Channels of a group, in fours, whose weights can be read in whole vectors without leaving the array. */
static int32_t whole_fours(const qmcu_mve_convolution *conv)
{
    const uint32_t iterations =
        (conv->length + conv->length % 2u + 15u) / 16u;    /* with the one that an odd row is shifted by */
    const uint32_t past = iterations * 16u - conv->length; /* weights past the end of a row */
    const uint32_t pairs = (uint32_t)(conv->out_channels + 1) / 2u;
    const uint32_t rest = (past + conv->length - 1u) / conv->length;
    return pairs > rest ? qmcu_min(conv->out_channels / 4, (int32_t)((pairs - rest) / 2u)) : 0;
}

/* Some pixels of output row oy from column ox on; returns how many. */
static int32_t convolve_some(const qmcu_mve_convolution *conv, block_function *function, uint8_t *column, int32_t oy,
                             int32_t ox, int32_t groups)
{
    const qmcu_window *window = conv->columns.window;
    const qmcu_map *in = conv->columns.in;
    const uint32_t padded = (conv->length + 15u) & ~15u;
    const int32_t y = oy * window->stride_h - window->pad_top;
    const int32_t x = ox * window->stride_w - window->pad_left;
    qmcu_mve_block pixels = {column, (int32_t)padded, qmcu_min(QMCU_MVE_BLOCK_PIXELS, conv->out->w - ox),
                             qmcu_at(conv->out, oy, ox, 0), conv->out->pixel_bytes};
    if (conv->length > COLUMN_CODES) {
        for (int32_t g = 0; g < groups; g++) {
            convolve_long(conv, column, y, x, (uint32_t)g, pixels.to);
        }
        return 1;
    }
    /* Where the window is one pixel and the codes are bytes, they are read where they are. */
    if (conv->in_place && y >= 0 && y < in->h && x >= 0 && x < in->w) {
        pixels.x = qmcu_at(in, y, x, 0);
        pixels.x_next = window->stride_w * in->pixel_bytes;
        pixels.pixels =
            qmcu_min(qmcu_min(QMCU_MVE_IN_PLACE_PIXELS, conv->out->w - ox), (in->w - 1 - x) / window->stride_w + 1);
        function(conv, &pixels, 0u);
        return pixels.pixels;
    }
    pixels.pixels = qmcu_min(pixels.pixels, (int32_t)(COLUMN_CODES / padded));
    for (int32_t g = 0; g < groups; g++) {
        for (int32_t p = 0; p < pixels.pixels; p++) {
            const qmcu_mve_part t = {column + (uint32_t)p * padded, 0u, conv->length};
            qmcu_mve_gather(&conv->columns, y, x + p * window->stride_w, (uint32_t)g, &t);
        }
        function(conv, &pixels, (uint32_t)g);
    }
    return pixels.pixels;
}

/*
 * Whether a map of single pixels is one row as well: nothing lies between its rows. Not where output and input overlap,
 * because what a row writes may lie on the row before.
 */
static int joins_rows(const qmcu_mve_convolution *conv)
{
    const qmcu_window *window = conv->columns.window;
    const qmcu_map *in = conv->columns.in;
    const qmcu_map *out = conv->out;
    const uintptr_t from = (uintptr_t)in->data;
    const uintptr_t to = (uintptr_t)out->data;
    return window->stride_h == 1 && window->stride_w == 1 && window->pad_top == 0 && window->pad_left == 0 &&
           in->h == out->h && in->w == out->w && in->row_bytes == in->w * in->pixel_bytes &&
           out->row_bytes == out->w * out->pixel_bytes &&
           (from + (uintptr_t)(in->h * in->row_bytes) <= to || to + (uintptr_t)(out->h * out->row_bytes) <= from);
}

static void convolve(qmcu_mve_convolution *conv, int32_t groups)
{
    /* A zero before the codes stands for the weight before a row. */
    QMCU_ALIGN(4) uint8_t bytes[COLUMN_CODES + 20u];
    uint8_t *const column = bytes + 4;
    const qmcu_window *window = conv->columns.window;
    const int is_unsigned = conv->columns.in->format == QMCU_U8;
    qmcu_map in;
    qmcu_map out;
    block_function *const of_8 = is_unsigned ? block_u_w8 : block_s_w8;
    block_function *const of_4 = is_unsigned ? block_u_w4 : block_s_w4;
    conv->pair_bytes = 2u * conv->length * conv->columns.weight_bits / 8u;
    conv->fours = whole_fours(conv);
    conv->fours8 =
        4u * conv->length <= QMCU_MVE_COPIED_ROWS ? qmcu_min(conv->fours + 1, conv->out_channels / 4) : conv->fours;
    conv->columns.dense = groups == 1 && window->dilation_w == 1 && qmcu_is_dense(conv->columns.in);
    conv->columns.runs = groups == 1 && conv->length <= COLUMN_CODES && (conv->columns.dense || window->kernel_w == 1);
    conv->in_place = conv->columns.weight_bits == 8u && conv->columns.in->format >= QMCU_U8 && groups == 1 &&
                     window->kernel_h == 1 && window->kernel_w == 1 && conv->length % 16u == 0u;
    if (conv->in_place && joins_rows(conv)) {
        in = *conv->columns.in;
        in.w *= in.h;
        in.h = 1;
        out = *conv->out;
        out.w *= out.h;
        out.h = 1;
        conv->columns.in = &in;
        conv->out = &out;
    }
    column[-1] = 0u;
    for (int32_t oy = 0; oy < conv->out->h; oy++) {
        for (int32_t ox = 0; ox < conv->out->w;) {
            ox += convolve_some(conv, conv->columns.weight_bits == 8u ? of_8 : of_4, column, oy, ox, groups);
        }
    }
}

QMCU_KERNEL void qmcu_conv2d(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_mve_convolution conv;
    conv.columns.window = &params->window;
    conv.weights = params->weights;
    conv.columns.pad_codes = params->pad_codes;
    conv.columns.in = in;
    conv.out = out;
    conv.scale = qmcu_mve_scale_of(&params->requant);
    conv.columns.in_channels = (uint32_t)(in->channels / params->group);
    conv.length = (uint32_t)(params->window.kernel_h * params->window.kernel_w) * conv.columns.in_channels;
    conv.out_channels = out->channels / params->group;
    conv.columns.weight_bits = params->weight_bits;
    convolve(&conv, params->group);
}

QMCU_KERNEL void qmcu_fully_connected(const qmcu_fully_connected_params *params, const qmcu_map *in,
                                      const qmcu_map *out)
{
    const qmcu_window window = {(int16_t)in->h, (int16_t)in->w, 1, 1, 1, 1, 0, 0};
    qmcu_mve_convolution conv;
    conv.columns.window = &window;
    conv.weights = params->weights;
    conv.columns.pad_codes = NULL;
    conv.columns.in = in;
    conv.out = out;
    conv.scale = qmcu_mve_scale_of(&params->requant);
    conv.columns.in_channels = (uint32_t)in->channels;
    conv.length = (uint32_t)(in->h * in->w * in->channels);
    conv.out_channels = out->channels;
    conv.columns.weight_bits = params->weight_bits;
    convolve(&conv, 1);
}

#endif /* QMCU_MVE */
