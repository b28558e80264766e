/*
 * QuantMCU runtime: 2-D convolution.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_dot.h"

/* What every pixel of one call needs. */
typedef struct {
    const qmcu_conv2d_params *p;
    const qmcu_map *in;
    qmcu_dot4_run *run;
    int32_t in_channels;  /* per group */
    int32_t out_channels; /* per group */
    uint32_t row_bytes;   /* of one output channel's weights */
    int dense;            /* taps beside each other are one run of codes */
} convolution;

/* Adds what the taps outside the input contribute: the code of padding times the weight. */
static void add_padding(const convolution *conv, const int16_t *codes, qmcu_taps ky, qmcu_taps kx, qmcu_dot4 *dot)
{
    const qmcu_window *window = &conv->p->window;
    for (int32_t y = 0; y < window->kernel_h; y++) {
        for (int32_t x = 0; x < window->kernel_w; x++) {
            if (y >= ky.first && y < ky.end && x >= kx.first && x < kx.end) {
                continue;
            }
            const uint32_t tap = (uint32_t)((y * window->kernel_w + x) * conv->in_channels);
            for (int32_t i = 0; i < conv->in_channels; i++) {
                qmcu_dot4_one(dot, codes[i], tap + (uint32_t)i, conv->p->weight_bits);
            }
        }
    }
}

/* All output channels of the pixel whose window begins at (y, x) of the input. */
QMCU_INLINE void convolve_pixel(const convolution *conv, int32_t y, int32_t x, qmcu_taps ky, qmcu_writer *writer)
{
    const qmcu_conv2d_params *p = conv->p;
    const qmcu_window *window = &p->window;
    const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, conv->in->w);
    const int32_t columns = kx.end - kx.first;
    const int padded = p->pad_codes != NULL && (ky.end - ky.first) * columns != window->kernel_h * window->kernel_w;
    const int32_t runs = conv->dense ? qmcu_min(columns, 1) : columns;
    const uint32_t run = (uint32_t)(conv->dense ? columns * conv->in_channels : conv->in_channels);

    for (int32_t g = 0; g < p->group; g++) {
        const int32_t first_code = g * conv->in_channels;
        const int32_t end = (g + 1) * conv->out_channels;
        for (int32_t o = g * conv->out_channels; o < end; o += 4) {
            qmcu_dot4 dot = qmcu_dot4_rows(p->weights, conv->row_bytes, o, end);
            for (int32_t i = ky.first; i < ky.end; i++) {
                for (int32_t j = kx.first; j < kx.first + runs; j++) {
                    const uint8_t *pixel = qmcu_at(conv->in, y + i * window->dilation_h, x + j * window->dilation_w, 0);
                    conv->run(&dot, pixel, (uint32_t)first_code, (uint32_t)((i * window->kernel_w + j) * conv->in_channels), run);
                }
            }
            if (padded) {
                add_padding(conv, p->pad_codes + first_code, ky, kx, &dot);
            }
            qmcu_dot4_write(&dot, &p->requant, o, end, writer);
        }
    }
}

QMCU_KERNEL void qmcu_conv2d(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const qmcu_window *window = &params->window;
    convolution conv;
    conv.p = params;
    conv.in = in;
    conv.run = qmcu_dot4_run_of(in->format, params->weight_bits);
    conv.in_channels = in->channels / params->group;
    conv.out_channels = out->channels / params->group;
    conv.row_bytes = qmcu_weight_row_bytes((uint32_t)(window->kernel_h * window->kernel_w * conv.in_channels), params->weight_bits);
    conv.dense = params->group == 1 && window->dilation_w == 1 && qmcu_is_dense(in);

    for (int32_t oy = 0; oy < out->h; oy++) {
        const int32_t y = oy * window->stride_h - window->pad_top;
        const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
        for (int32_t ox = 0; ox < out->w; ox++) {
            qmcu_writer writer = qmcu_write_pixel(qmcu_at(out, oy, ox, 0), out->format);
            convolve_pixel(&conv, y, ox * window->stride_w - window->pad_left, ky, &writer);
            qmcu_write_end(&writer);
        }
    }
}
