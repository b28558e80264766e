/*
 * QuantMCU runtime: depthwise convolution.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_internal.h"

/* The taps of one window that lie inside the input, for a block of four channels. */
typedef struct {
    const uint8_t *x;     /* first tap */
    const uint8_t *w;     /* its weights */
    int32_t rows;
    int32_t columns;
    int32_t x_next_row;   /* bytes from one row of taps to the next */
    int32_t x_next;       /* bytes from one tap to the next */
    int32_t w_next_row;
    int32_t w_next;
} block;

/* Adds the taps of a block to the sums of its `n` channels. Inlined with constant format and bits for n = 4. */
QMCU_INLINE void add_taps(uint32_t format, uint32_t weight_bits, const block *b, int32_t n, int32_t acc[4])
{
    int32_t a0 = acc[0];
    int32_t a1 = acc[1];
    int32_t a2 = acc[2];
    int32_t a3 = acc[3];
    for (int32_t i = 0; i < b->rows; i++) {
        int32_t x_offset = i * b->x_next_row;
        int32_t w_offset = i * b->w_next_row;
        for (int32_t j = b->columns; j > 0; j--) {
            const uint8_t *x = b->x + x_offset;
            const uint8_t *w = b->w + w_offset;
            a0 += qmcu_code(x, 0u, format) * qmcu_weight(w, 0u, weight_bits);
            if (n > 1) {
                a1 += qmcu_code(x, 1u, format) * qmcu_weight(w, 1u, weight_bits);
            }
            if (n > 2) {
                a2 += qmcu_code(x, 2u, format) * qmcu_weight(w, 2u, weight_bits);
            }
            if (n > 3) {
                a3 += qmcu_code(x, 3u, format) * qmcu_weight(w, 3u, weight_bits);
            }
            x_offset += b->x_next;
            w_offset += b->w_next;
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

typedef void add_taps4(const block *b, int32_t acc[4]);

#define ADD_TAPS4(name, format, weight_bits)            \
    QMCU_KERNEL static void name(const block *b, int32_t acc[4]) \
    {                                                   \
        add_taps(format, weight_bits, b, 4, acc);       \
    }

ADD_TAPS4(add_u2_w4, QMCU_U2, 4u)
ADD_TAPS4(add_s2_w4, QMCU_S2, 4u)
ADD_TAPS4(add_u4_w4, QMCU_U4, 4u)
ADD_TAPS4(add_s4_w4, QMCU_S4, 4u)
ADD_TAPS4(add_u8_w4, QMCU_U8, 4u)
ADD_TAPS4(add_s8_w4, QMCU_S8, 4u)
ADD_TAPS4(add_u2_w8, QMCU_U2, 8u)
ADD_TAPS4(add_s2_w8, QMCU_S2, 8u)
ADD_TAPS4(add_u4_w8, QMCU_U4, 8u)
ADD_TAPS4(add_s4_w8, QMCU_S4, 8u)
ADD_TAPS4(add_u8_w8, QMCU_U8, 8u)
ADD_TAPS4(add_s8_w8, QMCU_S8, 8u)

/* Indexed by the format's number: QMCU_U2, QMCU_S2, ... QMCU_S8. */
static add_taps4 *const add_w4[6] = { add_u2_w4, add_s2_w4, add_u4_w4, add_s4_w4, add_u8_w4, add_s8_w4 };
static add_taps4 *const add_w8[6] = { add_u2_w8, add_s2_w8, add_u4_w8, add_s4_w8, add_u8_w8, add_s8_w8 };

/* The last one to three channels of a map. */
static void add_taps_rest(uint32_t format, uint32_t weight_bits, const block *b, int32_t n, int32_t acc[4])
{
    add_taps(format, weight_bits, b, n, acc);
}

/* Adds what the taps outside the input contribute: the code of padding times the weight. */
static void add_padding(const qmcu_depthwise2d_params *p, const uint8_t *weights, uint32_t row_bytes, const int16_t *codes,
                        qmcu_taps ky, qmcu_taps kx, int32_t n, int32_t acc[4])
{
    for (int32_t y = 0; y < p->window.kernel_h; y++) {
        for (int32_t x = 0; x < p->window.kernel_w; x++) {
            if (y >= ky.first && y < ky.end && x >= kx.first && x < kx.end) {
                continue;
            }
            const uint8_t *w = weights + (uint32_t)(y * p->window.kernel_w + x) * row_bytes;
            for (int32_t j = 0; j < n; j++) {
                acc[j] += codes[j] * qmcu_weight(w, (uint32_t)j, p->weight_bits);
            }
        }
    }
}

/* The pixel whose window begins at (y, x) of the input, four channels at a time. */
QMCU_INLINE void convolve_pixel(const qmcu_depthwise2d_params *p, const qmcu_map *in, add_taps4 *add4, int32_t y, int32_t x,
                                qmcu_taps ky, qmcu_writer *writer)
{
    const qmcu_window *window = &p->window;
    const uint32_t row_bytes = qmcu_weight_row_bytes((uint32_t)in->channels, p->weight_bits);
    const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
    const int32_t inside = (ky.end - ky.first) * (kx.end - kx.first);
    const int padded = p->pad_codes != NULL && inside != window->kernel_h * window->kernel_w;
    block b;
    b.rows = ky.end - ky.first;
    b.columns = kx.end - kx.first;
    b.x_next_row = window->dilation_h * in->row_bytes;
    b.x_next = window->dilation_w * in->pixel_bytes;
    b.w_next_row = window->kernel_w * (int32_t)row_bytes;
    b.w_next = (int32_t)row_bytes;

    for (int32_t c = 0; c < in->channels; c += 4) {
        const int32_t n = qmcu_min(4, in->channels - c);
        const uint8_t *weights = (const uint8_t *)p->weights + (uint32_t)c * p->weight_bits / 8u;
        int32_t acc[4] = { 0, 0, 0, 0 };
        if (inside != 0) {
            b.x = qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, c);
            b.w = weights + (uint32_t)(ky.first * window->kernel_w + kx.first) * row_bytes;
            if (n == 4) {
                add4(&b, acc);
            } else {
                add_taps_rest(in->format, p->weight_bits, &b, n, acc);
            }
        }
        if (padded) {
            add_padding(p, weights, row_bytes, p->pad_codes + c, ky, kx, n, acc);
        }
        for (int32_t j = 0; j < n; j++) {
            qmcu_write(writer, qmcu_requantize_acc(&p->requant, c + j, acc[j]));
        }
    }
}

QMCU_KERNEL void qmcu_depthwise2d(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const qmcu_window *window = &params->window;
    add_taps4 *const add4 = params->weight_bits == 4u ? add_w4[in->format] : add_w8[in->format];
    for (int32_t oy = 0; oy < out->h; oy++) {
        const int32_t y = oy * window->stride_h - window->pad_top;
        const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
        for (int32_t ox = 0; ox < out->w; ox++) {
            qmcu_writer writer = qmcu_write_pixel(qmcu_at(out, oy, ox, 0), out->format);
            convolve_pixel(params, in, add4, y, ox * window->stride_w - window->pad_left, ky, &writer);
            qmcu_write_end(&writer);
        }
    }
}
