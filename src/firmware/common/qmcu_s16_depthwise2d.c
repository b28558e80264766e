/*
 * QuantMCU runtime: depthwise convolutions of which the input or the output has 16 bits. Weights have 8.
 *
 * Four channels at a time, tap by tap.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_s16.h"

/* Sums of four channels. */
typedef struct {
    int32_t c0;
    int32_t c1;
    int32_t c2;
    int32_t c3;
} s16_sums;

/* The taps of one window that lie inside the input, for four channels. */
typedef struct {
    const uint8_t *x;
    const int8_t *w;
    int32_t rows;
    int32_t columns;
    int32_t x_next_row;
    int32_t x_next;
    int32_t w_next_row;
    int32_t w_next;
} s16_run;

/* Adds four weights times four codes. */
QMCU_INLINE void add_tap(s16_sums *s, const uint8_t *x, const int8_t *w, uint32_t format)
{
#if QMCU_DSP
    if (format == QMCU_S16) {
        const uint32_t first = qmcu_load_unaligned(x);
        const uint32_t second = qmcu_load_unaligned(x + 4);
        const uint32_t weights = qmcu_load_unaligned(w);
        const uint32_t even = qmcu_sxtb16(weights);
        const uint32_t odd = qmcu_sxtb16_ror8(weights);
        s->c0 = qmcu_smlabb(first, even, s->c0);
        s->c1 = qmcu_smlatb(first, odd, s->c1);
        s->c2 = qmcu_smlabt(second, even, s->c2);
        s->c3 = qmcu_smlatt(second, odd, s->c3);
        return;
    }
#endif
    int16_t codes[4];
    if (format == QMCU_S16) {
        memcpy(codes, x, sizeof codes);
    } else {
        for (uint32_t i = 0u; i < 4u; i++) {
            codes[i] = (int16_t)qmcu_code(x, i, format);
        }
    }
    s->c0 = qmcu_mla(codes[0], w[0], s->c0);
    s->c1 = qmcu_mla(codes[1], w[1], s->c1);
    s->c2 = qmcu_mla(codes[2], w[2], s->c2);
    s->c3 = qmcu_mla(codes[3], w[3], s->c3);
}

/* Inlined with a constant format. */
QMCU_INLINE void add_run(s16_sums *s, const s16_run *r, uint32_t format)
{
    const uint8_t *x_row = r->x;
    const int8_t *w_row = r->w;
    for (int32_t i = r->rows; i > 0; i--) {
        const uint8_t *x = x_row;
        const int8_t *w = w_row;
        for (int32_t j = r->columns; j > 0; j--) {
            add_tap(s, x, w, format);
            x += r->x_next;
            w += r->w_next;
        }
        x_row += r->x_next_row;
        w_row += r->w_next_row;
    }
}

static QMCU_NOINLINE void add_taps(s16_sums *sums, const s16_run *r, uint32_t format)
{
    s16_sums s = *sums;
    if (format == QMCU_S16) {
        add_run(&s, r, QMCU_S16);
    } else if (format == QMCU_U8) {
        add_run(&s, r, QMCU_U8);
    } else {
        add_run(&s, r, format);
    }
    *sums = s;
}

/* Adds the products of one channel's taps inside and outside the input. */
static QMCU_NOINLINE QMCU_SMALL int32_t sum_channel(const qmcu_depthwise2d_params *p, const qmcu_map *in, int32_t y,
                                                    int32_t x, int32_t c)
{
    const qmcu_window *window = &p->window;
    const int8_t *w = (const int8_t *)p->weights + c;
    int32_t sum = 0;
    for (int32_t i = 0; i < window->kernel_h; i++) {
        for (int32_t j = 0; j < window->kernel_w; j++, w += in->channels) {
            const int32_t row = y + i * window->dilation_h;
            const int32_t column = x + j * window->dilation_w;
            int32_t code = p->pad_codes != NULL ? p->pad_codes[c] : 0;
            if (row >= 0 && row < in->h && column >= 0 && column < in->w) {
                const uint8_t *pixel = qmcu_at(in, row, column, 0);
                if (in->format == QMCU_S16) {
                    int16_t word;
                    memcpy(&word, pixel + 2 * c, sizeof word);
                    code = word;
                } else {
                    code = qmcu_code(pixel, (uint32_t)c, in->format);
                }
            }
            sum += code * *w;
        }
    }
    return sum;
}

/* Up to four channels of a layer. */
typedef struct {
    int32_t c;
    int32_t count;
    int32_t bias[4];
    int32_t multiplier[4];
    int32_t max[4];
} s16_channels;

static QMCU_SMALL s16_channels channels_of(const qmcu_requant *r, int32_t c, int32_t channels)
{
    s16_channels k;
    k.c = c;
    k.count = qmcu_min(4, channels - c);
    for (int32_t i = 0; i < 4; i++) {
        const int32_t at = qmcu_min(c + i, channels - 1);
        k.bias[i] = qmcu_bias(r, at);
        k.multiplier[i] = r->multiplier[at];
        k.max[i] = qmcu_s16_max(r, at);
    }
    return k;
}

QMCU_INLINE void write_four(const qmcu_requant *r, const s16_channels *k, const s16_sums *s, uint32_t format,
                            uint8_t *to)
{
    int16_t codes[4];
    codes[0] = (int16_t)qmcu_s16_code(r, k->multiplier[0], k->max[0], s->c0);
    codes[1] = (int16_t)qmcu_s16_code(r, k->multiplier[1], k->max[1], s->c1);
    codes[2] = (int16_t)qmcu_s16_code(r, k->multiplier[2], k->max[2], s->c2);
    codes[3] = (int16_t)qmcu_s16_code(r, k->multiplier[3], k->max[3], s->c3);
    if (format == QMCU_S16 && k->count == 4) {
        memcpy(to, codes, sizeof codes);
    } else {
        qmcu_s16_pack(codes, k->count, format, to);
    }
}

/* The sums of the window at row y and column x where channels or codes of padding need to be asked for. */
static QMCU_NOINLINE QMCU_SMALL s16_sums sum_one_by_one(const qmcu_depthwise2d_params *p, const qmcu_map *in,
                                                        const s16_channels *k, int32_t y, int32_t x)
{
    s16_sums s = {k->bias[0], k->bias[1], k->bias[2], k->bias[3]};
    s.c0 += sum_channel(p, in, y, x, k->c);
    s.c1 += k->count > 1 ? sum_channel(p, in, y, x, k->c + 1) : 0;
    s.c2 += k->count > 2 ? sum_channel(p, in, y, x, k->c + 2) : 0;
    s.c3 += k->count > 3 ? sum_channel(p, in, y, x, k->c + 3) : 0;
    return s;
}

/* Four channels of a row of the output, whose windows begin at row y of the input. */
static QMCU_NOINLINE void convolve_row(const qmcu_depthwise2d_params *p, const qmcu_map *in, const qmcu_map *out,
                                       const s16_channels *k, int32_t oy, int32_t y)
{
    const qmcu_window *window = &p->window;
    const qmcu_requant r = p->requant;
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
    uint8_t *to = qmcu_at(out, oy, 0, k->c);
    s16_run run;
    run.rows = ky.end - ky.first;
    run.x_next_row = window->dilation_h * in->row_bytes;
    run.x_next = window->dilation_w * in->pixel_bytes;
    run.w_next_row = window->kernel_w * in->channels;
    run.w_next = in->channels;
    for (int32_t ox = 0; ox < out->w; ox++) {
        const int32_t x = ox * window->stride_w - window->pad_left;
        const qmcu_taps kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
        const int whole = run.rows == window->kernel_h && kx.end - kx.first == window->kernel_w;
        s16_sums s = {k->bias[0], k->bias[1], k->bias[2], k->bias[3]};
        if (k->count < 4 || (p->pad_codes != NULL && !whole)) {
            s = sum_one_by_one(p, in, k, y, x);
        } else if (run.rows > 0 && kx.end > kx.first) {
            run.columns = kx.end - kx.first;
            run.x = qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, k->c);
            run.w = (const int8_t *)p->weights + (ky.first * window->kernel_w + kx.first) * in->channels + k->c;
            add_taps(&s, &run, in->format);
        }
        write_four(&r, k, &s, out->format, to);
        to += out->pixel_bytes;
    }
}

QMCU_KERNEL QMCU_SMALL void qmcu_depthwise2d_s16(const qmcu_depthwise2d_params *params, const qmcu_map *in,
                                                 const qmcu_map *out)
{
    for (int32_t oy = 0; oy < out->h; oy++) {
        for (int32_t c = 0; c < out->channels; c += 4) {
            const s16_channels k = channels_of(&params->requant, c, out->channels);
            convolve_row(params, in, out, &k, oy, oy * params->window.stride_h - params->window.pad_top);
        }
    }
}
