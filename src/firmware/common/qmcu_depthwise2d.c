/*
 * QuantMCU runtime: taps_depthwise convolution.
 *
 * Row by row, four channels at a time: their weights are unpacked once for a row of the output.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_mve.h"
#include "qmcu_depthwise2d_dsp.h"
#include "qmcu_depthwise2d_taps.h"

#if !QMCU_MVE

/* Larger kernels are not unpacked. 49: 7 x 7. */
#define UNPACKED_TAPS 49

/* What every pixel of one call needs. */
typedef struct {
    const qmcu_depthwise2d_params *p;
    const qmcu_map *in;
    const qmcu_map *out;
    qmcu_scale scale;
    uint32_t row_bytes; /* of the weights of one tap */
} taps_depthwise;

/* Up to four channels from c on. */
typedef struct {
    int32_t c;
    int32_t count;
    qmcu_tap_sums bias;
    int32_t multiplier[4];
    int unpacked;
    QMCU_ALIGN(4) int16_t weights[4 * UNPACKED_TAPS]; /* where unpacked: by tap, each four at their PLACEs */
} channels4;

QMCU_INLINE const uint8_t *weights_of(const taps_depthwise *d, int32_t c, int32_t tap)
{
    const uint8_t *weights = d->p->weights;
    return weights + (uint32_t)tap * d->row_bytes + (uint32_t)c * d->p->weight_bits / 8u;
}

static void prepare(const taps_depthwise *d, int32_t c, channels4 *k)
{
    const int32_t taps = d->p->window.kernel_h * d->p->window.kernel_w;
    const qmcu_requant *r = d->scale.requant;
    const int32_t last = d->in->channels - 1;
    k->c = c;
    k->count = qmcu_min(4, d->in->channels - c);
    k->bias.c0 = qmcu_bias(r, c);
    k->bias.c1 = qmcu_bias(r, qmcu_min(c + 1, last));
    k->bias.c2 = qmcu_bias(r, qmcu_min(c + 2, last));
    k->bias.c3 = qmcu_bias(r, qmcu_min(c + 3, last));
    for (int32_t j = 0; j < 4; j++) {
        k->multiplier[j] = r->multiplier[qmcu_min(c + j, last)];
    }
    k->unpacked = k->count == 4 && taps <= UNPACKED_TAPS;
    if (!k->unpacked) {
        return;
    }
    const uint8_t *w = weights_of(d, c, 0);
    int16_t *to = k->weights;
    for (int32_t tap = 0; tap < taps; tap++) {
#if QMCU_DSP
        const uint32_t format = d->p->weight_bits == 8u ? QMCU_S8 : QMCU_S4;
        const uint32_t word = qmcu_tap_load(w, format);
        qmcu_store(to, qmcu_tap_even(word, format));
        qmcu_store(to + 2, qmcu_tap_odd(word, format));
#else
        for (uint32_t j = 0u; j < 4u; j++) {
            to[QMCU_TAP_PLACE(j)] = (int16_t)qmcu_weight(w, j, d->p->weight_bits);
        }
#endif
        to += 4;
        w += d->row_bytes;
    }
}

/* Adds code * weight for channel j. */
QMCU_INLINE void add_one(qmcu_tap_sums *s, int32_t j, int32_t product)
{
    if (j == 0) {
        s->c0 += product;
    } else if (j == 1) {
        s->c1 += product;
    } else if (j == 2) {
        s->c2 += product;
    } else {
        s->c3 += product;
    }
}

/* Adds tap by tap where the channels are fewer than four or the kernel is larger than what is unpacked. */
static void add_packed(const taps_depthwise *d, const channels4 *k, const qmcu_run *r, int32_t first_tap,
                       qmcu_tap_sums *s)
{
    for (int32_t i = 0; i < r->rows; i++) {
        for (int32_t j = 0; j < r->columns; j++) {
            const uint8_t *x = r->x + i * r->x_next_row + j * r->x_next;
            const uint8_t *w = weights_of(d, k->c, first_tap + i * d->p->window.kernel_w + j);
            for (int32_t c = 0; c < k->count; c++) {
                add_one(s, c,
                        qmcu_code(x, (uint32_t)c, d->in->format) * qmcu_weight(w, (uint32_t)c, d->p->weight_bits));
            }
        }
    }
}

/* Adds what the taps outside the input contribute: the code of padding times the weight. */
static void add_padding(const taps_depthwise *d, const channels4 *k, qmcu_taps ky, qmcu_taps kx, qmcu_tap_sums *s)
{
    const qmcu_window *window = &d->p->window;
    for (int32_t y = 0; y < window->kernel_h; y++) {
        for (int32_t x = 0; x < window->kernel_w; x++) {
            if (y >= ky.first && y < ky.end && x >= kx.first && x < kx.end) {
                continue;
            }
            const uint8_t *w = weights_of(d, k->c, y * window->kernel_w + x);
            for (int32_t c = 0; c < k->count; c++) {
                add_one(s, c, d->p->pad_codes[k->c + c] * qmcu_weight(w, (uint32_t)c, d->p->weight_bits));
            }
        }
    }
}

/* Four channels of output row oy, whose window begins at row y of the input. */
static void convolve_row(const taps_depthwise *d, const channels4 *k, int32_t oy, int32_t y)
{
    const qmcu_window *window = &d->p->window;
    const qmcu_map *in = d->in;
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
    const int32_t last =
        in->w - (window->kernel_w - 1) * window->dilation_w - 1; /* where the last window inside begins */
    qmcu_run r;
    r.rows = ky.end - ky.first;
    r.x_next_row = window->dilation_h * in->row_bytes;
    r.x_next = window->dilation_w * in->pixel_bytes;
    r.w_next_row = 4 * window->kernel_w;
    r.scale = &d->scale;
    r.multiplier = k->multiplier;
    r.c = k->c;
    r.x_next_pixel = window->stride_w * in->pixel_bytes;
    r.to = qmcu_at(d->out, oy, 0, k->c);
    r.to_next_pixel = d->out->pixel_bytes;
    r.format = d->out->format;
    r.write = qmcu_run_write_of(&d->p->requant, r.format);

    for (int32_t ox = 0; ox < d->out->w; ox += r.pixels) {
        const int32_t x = ox * window->stride_w - window->pad_left;
        const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
        const int32_t first_tap = ky.first * window->kernel_w + kx.first;
        r.columns = kx.end - kx.first;
        r.pixels = 1;
        if (k->unpacked && x >= 0 && x <= last) {
            r.pixels = qmcu_min((last - x) / window->stride_w + 1, d->out->w - ox);
        }
        r.first = k->bias;
        if (d->p->pad_codes != NULL && r.rows * r.columns != window->kernel_h * window->kernel_w) {
            add_padding(d, k, ky, kx, &r.first);
        }
        /* A window wholly outside has no address. */
        r.rows = r.columns > 0 ? ky.end - ky.first : 0;
        r.x = r.rows > 0 ? qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, k->c)
                         : in->data;
        if (k->unpacked) {
            r.w = r.rows > 0 ? k->weights + 4 * first_tap : k->weights;
            qmcu_runs[in->format](&r);
        } else {
            add_packed(d, k, &r, first_tap, &r.first);
            qmcu_run_write_codes(r.scale, r.multiplier, k->c, k->count, r.format, &r.first, r.to);
        }
        r.to += r.pixels * r.to_next_pixel;
    }
}

/* Any layer, tap by tap. */
static QMCU_NOINLINE void convolve_by_taps(const qmcu_depthwise2d_params *params, const qmcu_map *in,
                                           const qmcu_map *out)
{
    taps_depthwise d;
    channels4 k;
    d.p = params;
    d.in = in;
    d.out = out;
    d.scale = qmcu_scale_of(&params->requant, out->format);
    d.row_bytes = qmcu_weight_row_bytes((uint32_t)in->channels, params->weight_bits);
    for (int32_t oy = 0; oy < out->h; oy++) {
        for (int32_t c = 0; c < in->channels; c += 4) {
            prepare(&d, c, &k);
            convolve_row(&d, &k, oy, oy * params->window.stride_h - params->window.pad_top);
        }
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_depthwise2d(const qmcu_depthwise2d_params *params, const qmcu_map *in,
                                             const qmcu_map *out)
{
#if QMCU_DSP
    if (QMCU_DEPTHWISE2D_ROWS != 0u && qmcu_depthwise_rows(params, in, out)) {
        return;
    }
#endif
    if (QMCU_DEPTHWISE2D_TAPS) {
        convolve_by_taps(params, in, out);
    }
}

#endif /* !QMCU_MVE */
