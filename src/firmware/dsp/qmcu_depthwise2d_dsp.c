/*
 * QuantMCU runtime: dsp_depthwise convolutions row by row and channel by channel, with the DSP extension.
 *
 * Two channels at a time, which lie in one halfword or byte of a pixel, are flushed of as many rows as fit the stack;
 * then a function computes the outputs of each channel in those rows.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_depthwise2d_dsp_gather.h"
#include "qmcu_depthwise2d_dsp.h"

#if QMCU_DSP

#define CODE_BYTES (QMCU_COLUMN_BYTES / 16u * 16u)

/* With fewer rows, moving those that are needed again costs more than calling the function for each row. */
#define LEAST_ROWS 8

/* What every pair of channels of a call needs. */
typedef struct {
    const qmcu_depthwise2d_params *params;
    const qmcu_map *out;
    const qmcu_row_shape *shape;
    qmcu_row_function *function;
    qmcu_planes planes;
    int32_t together; /* output rows that are computed at a time; 0: one by one, of as many rows as the kernel has */
} dsp_depthwise;

/* Codes of padding of channels c and c + 1. */
QMCU_INLINE qmcu_planes_padding padding_of(const dsp_depthwise *d, int32_t c)
{
    const int16_t *pad = d->params->pad_codes;
    const uint32_t flip = d->planes.flip;
    return pad == NULL ? flip | flip << 16
                       : (((uint32_t)pad[c] + flip) & 0xffffu) | ((uint32_t)pad[c + 1] + flip) << 16;
}

/* Output rows [from, to) of channels c and c + 1, some at a time: the last rows under one's windows are the first ones
 * under the next one's. */
static QMCU_SMALL void convolve_blocks(const dsp_depthwise *d, qmcu_row *row, int32_t c, int32_t from, int32_t to,
                                       uint8_t *codes)
{
    const int32_t kernel = (int32_t)d->shape->kernel;
    const int32_t stride = (int32_t)d->shape->stride;
    int32_t y = from * stride - d->params->window.pad_top; /* of the first row of the planes */
    int32_t there = 0;                                     /* rows from it on that are there */
    for (int32_t oy = from; oy < to; oy += row->rows) {
        row->rows = qmcu_min(d->together, to - oy);
        const int32_t needed = (row->rows - 1) * stride + kernel;
        qmcu_planes_put(&d->planes, c, y + there, needed - there, padding_of(d, c), codes + QMCU_ROW_BYTES * there);
        d->function(row);
        if (oy + row->rows < to) {
            there = kernel - stride;
            qmcu_planes_move(&d->planes, row->rows * stride, there, codes);
        }
        row->to += row->rows * row->to_next_row;
        y += row->rows * stride;
    }
}

/* The same where few rows fit: a row that is not needed any more gives its place to the next one. So rows stand in
 * rotated order, and the weights with them. */
static QMCU_SMALL void convolve_rows(const dsp_depthwise *d, qmcu_row *row, qmcu_row_weights *weights, int32_t c,
                                     int32_t from, int32_t to, uint8_t *codes)
{
    const int32_t kernel = (int32_t)d->shape->kernel;
    const int32_t stride = (int32_t)d->shape->stride;
    int32_t y = from * stride - d->params->window.pad_top; /* of the next row to put */
    int32_t place = 0;                                     /* where it goes, and the first row under the windows is */
    qmcu_planes_put(&d->planes, c, y, kernel, padding_of(d, c), codes);
    y += kernel;
    row->rows = 1;
    for (int32_t oy = from; oy < to; oy++) {
        d->function(row);
        if (oy + 1 == to) {
            break;
        }
        row->to += row->to_next_row;
        qmcu_row_unrolled(d->shape, weights);
        for (int32_t i = 0, rows; i < stride; i += rows) {
            rows = qmcu_min(stride - i, kernel - place);
            qmcu_planes_put(&d->planes, c, y, rows, padding_of(d, c), codes + QMCU_ROW_BYTES * place);
            y += rows;
            place = place + rows == kernel ? 0 : place + rows;
        }
    }
}

/* Output rows [from, to) of channels c and c + 1. The sides of the planes are there. */
static QMCU_SMALL void convolve_pair(const dsp_depthwise *d, int32_t c, int32_t from, int32_t to, uint8_t *codes)
{
    qmcu_row_weights weights[2];
    qmcu_row row = {d->shape,
                    weights,
                    codes,
                    d->planes.group,
                    0,
                    d->out->w,
                    qmcu_at(d->out, from, 0, c),
                    d->out->row_bytes,
                    d->out->pixel_bytes};
    qmcu_row_prepare(d->shape, d->params, d->planes.flip, d->planes.in->channels, c, weights);
    if (d->together == 0) {
        convolve_rows(d, &row, weights, c, from, to, codes);
    } else {
        convolve_blocks(d, &row, c, from, to, codes);
    }
}

/* n bytes to a lower address, which may lie over them. */
static void move_down(const uint8_t *from, int32_t n, uint8_t *to)
{
    for (; n >= 4; n -= 4) {
        qmcu_store_unaligned(to, qmcu_load_unaligned(from));
        from += 4;
        to += 4;
    }
    for (; n > 0; n--) {
        *to++ = *from++;
        QMCU_OPAQUE(to); /* not memmove(), for a few bytes */
    }
}

/* Output rows [from, to) of all channels; `rows`: of the planes. */
static QMCU_SMALL void convolve_channels(const dsp_depthwise *d, int32_t rows, int32_t from, int32_t to, uint8_t *codes)
{
    for (int32_t c = 0; c < d->planes.in->channels; c += 2) {
        if (d->params->pad_codes != NULL) {
            qmcu_planes_put_sides(&d->planes, rows, padding_of(d, c), codes);
        }
        convolve_pair(d, c, from, to, codes);
    }
}

QMCU_SMALL int qmcu_depthwise_by(const qmcu_row_shape *shape, qmcu_row_function *function,
                                 const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    QMCU_ALIGN(8) uint8_t codes[CODE_BYTES];
    dsp_depthwise d;
    const int32_t kernel = (int32_t)shape->kernel;
    const int32_t stride = (int32_t)shape->stride;
    const int32_t groups = (out->w + 3) / 4 * stride + 1;
    const int32_t room = (int32_t)(CODE_BYTES / QMCU_ROW_BYTES) / groups; /* rows */
    if (room < kernel) {
        return 0;
    }
    const int32_t pad = params->window.pad_left;
    const int32_t under = (out->w - 1) * stride + kernel; /* columns under the windows */
    const int32_t before = pad > 0 ? qmcu_min(pad, under) : 0;
    const int32_t all = (out->h - 1) * stride + kernel; /* rows */
    const int32_t rows = shape->rows != 0u                 ? (int32_t)shape->rows
                         : room < all && room < LEAST_ROWS ? kernel
                                                           : qmcu_min(room, all);
    if (rows > room) {
        return 0;
    }
    d.params = params;
    d.out = out;
    d.shape = shape;
    d.function = function;
    d.together = rows == kernel ? 0 : (rows - kernel) / stride + 1;
    d.planes.in = in;
    d.planes.x = pad < 0 ? -pad : 0;
    d.planes.pixels = qmcu_clamp(in->w - d.planes.x, 0, under - before);
    d.planes.before = shape->polynomial != 0u ? (int32_t)QMCU_POLY_BEFORE : 0;
    d.planes.first = d.planes.before + before;
    d.planes.end = d.planes.before + under;
    d.planes.group = QMCU_ROW_BYTES * rows;
    d.planes.flip = (in->format & 1u) != 0u ? 1u << (qmcu_bits(in->format) - 1u) : 0u;
    qmcu_planes_divide(&d.planes);
    /* Moving the output at the end costs less than rows one by one. */
    const int32_t aside = qmcu_rows_aside(params, in, out);
    d.planes.bordered = 0u;
    if (params->pad_codes == NULL) {
        qmcu_planes_put_sides(&d.planes, rows, padding_of(&d, 0), codes);
        if (aside == 0 && d.together >= out->h && qmcu_rows_together(params, in, out, 0) == out->h) {
            qmcu_planes_put_outside(&d.planes, -params->window.pad_top, all, padding_of(&d, 0), codes);
            d.planes.bordered = 1u;
        }
    }
    if (aside > 0) {
        qmcu_map there = *out;
        there.data += aside;
        d.out = &there;
        convolve_channels(&d, rows, 0, out->h - 1, codes);
        move_down(there.data, (out->h - 1) * out->row_bytes, out->data);
        d.out = out;
        convolve_channels(&d, rows, out->h - 1, out->h, codes);
        return 1;
    }
    /* Few rows at a time the input is unpacked again for those that it is under, but nothing is overwritten before all
     * channels have read it. */
    int32_t apart;
    for (int32_t oy = 0; oy < out->h; oy += apart) {
        apart = qmcu_rows_together(params, in, out, oy);
        convolve_channels(&d, rows, oy, oy + apart, codes);
    }
    return 1;
}

#define ROW(name, kernel_size, step)                  \
    QMCU_KERNEL static void name(const qmcu_row *row) \
    {                                                 \
        qmcu_row_shape shape = *row->shape;           \
        shape.kernel = kernel_size;                   \
        shape.stride = step;                          \
        qmcu_row_shared(&shape, row);                 \
    }

ROW(row_3_1, 3u, 1u)
ROW(row_3_2, 3u, 2u)
ROW(row_5_1, 5u, 1u)
ROW(row_5_2, 5u, 2u)

QMCU_SMALL int qmcu_depthwise_rows(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    static qmcu_row_function *const functions[4] = {
        (QMCU_DEPTHWISE2D_ROWS & 1u) != 0u ? row_3_1 : NULL, (QMCU_DEPTHWISE2D_ROWS & 2u) != 0u ? row_3_2 : NULL,
        (QMCU_DEPTHWISE2D_ROWS & 4u) != 0u ? row_5_1 : NULL, (QMCU_DEPTHWISE2D_ROWS & 8u) != 0u ? row_5_2 : NULL};
    const qmcu_window *window = &params->window;
    const qmcu_requant *r = &params->requant;
    const uint32_t bits = qmcu_bits(out->format);
    const int32_t lowest = (out->format & 1u) != 0u ? -(int32_t)(1u << (bits - 1u)) : 0;
    const int32_t highest = lowest + (int32_t)((1u << bits) - 1u);
    qmcu_row_shape shape;
    if (window->kernel_h != window->kernel_w || (window->kernel_h != 3 && window->kernel_h != 5) ||
        window->stride_h != window->stride_w || window->stride_h > 2 || window->dilation_h != 1 ||
        window->dilation_w != 1) {
        return 0;
    }
    if (in->channels % 2 != 0 || in->format < QMCU_U4 || bits < 4u || r->min != lowest || r->shift > 22u) {
        return 0;
    }
    shape.kernel = (uint32_t)window->kernel_h;
    shape.stride = (uint32_t)window->stride_h;
    shape.format = out->format;
    shape.bounded = r->max_table != NULL || r->max < highest;
    shape.pre_shift = r->pre_shift;
    shape.shift = r->shift;
    shape.pixel_bytes = out->pixel_bytes;
    shape.rows = 0u;
    shape.polynomial = 0u;
    if ((shape.bounded && out->format != QMCU_U8 && out->format != QMCU_U4) || r->max < 0 || r->max > highest) {
        return 0;
    }
    return qmcu_depthwise_by(&shape, functions[(shape.kernel - 3u) + shape.stride - 1u], params, in, out);
}

#endif /* QMCU_DSP */
