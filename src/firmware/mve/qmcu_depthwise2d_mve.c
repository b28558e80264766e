/*
 * QuantMCU runtime: depthwise convolution for the vector extension Helium.
 *
 * Row by row. Windows of 3 x 3 take sixteen channels at a time, see qmcu_depthwise2d_mve_sixteen.h; others eight in
 * lanes of 16 bits: their weights are unpacked once for a row of the output. VMULLB and VMULLT multiply the even and
 * the odd channels to 32 bits.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_depthwise2d_mve.h"

#if QMCU_MVE

/* Larger kernels are not unpacked. 49: 7 x 7. */
#define UNPACKED_TAPS 49

/* Sums, or what belongs to them, of eight channels. */
typedef struct {
    int32x4_t even;
    int32x4_t odd;
} eight;

/* Up to eight channels from c on. Tables hold the even channels first. */
typedef struct {
    int32_t c;
    int32_t count;
    int unpacked;
    int32_t bias[8];
    int32_t multiplier[8];
    int32_t max[8];
    QMCU_ALIGN(4) int16_t weights[8 * UNPACKED_TAPS];
} channels8;

typedef qmcu_mve_depthwise depthwise;

/* Pixels of one row, all of whose windows lie in the same way in the input. */
typedef struct {
    const uint8_t *x; /* first tap of the first pixel */
    int32_t first_tap;
    int32_t rows; /* of taps inside the input */
    int32_t columns;
    int32_t pixels;
    uint8_t *to;
} run;

/* Left to itself, GCC multiplies for several taps first and then lacks registers for the products. */
QMCU_INLINE int32x4_t now(int32x4_t sum)
{
#if defined(__GNUC__) || defined(__clang__)
    __asm__("" : "+w"(sum));
#endif
    return sum;
}

QMCU_INLINE void add_tap(eight *s, int16x8_t x, int16x8_t w)
{
    s->even = now(vaddq_s32(s->even, vmullbq_int_s16(x, w)));
    s->odd = now(vaddq_s32(s->odd, vmulltq_int_s16(x, w)));
}

QMCU_INLINE eight eight_of(const int32_t *table)
{
    const eight v = {vldrwq_s32(table), vldrwq_s32(table + 4)};
    return v;
}

/* Codes of eight sums, in the order of the channels. */
QMCU_INLINE int16x8_t requantize(const qmcu_mve_scale *scale, const channels8 *k, const eight *s)
{
    const int32x4_t min = vdupq_n_s32(scale->requant->min);
    const eight multiplier = eight_of(k->multiplier);
    const eight max = eight_of(k->max);
    const int32x4_t even =
        vrshlq_n_s32(vmulhq_s32(vshlq_r_s32(s->even, scale->pre_shift), multiplier.even), scale->shift);
    const int32x4_t odd = vrshlq_n_s32(vmulhq_s32(vshlq_r_s32(s->odd, scale->pre_shift), multiplier.odd), scale->shift);
    const int16x8_t lower = vreinterpretq_s16_s32(vminq_s32(vmaxq_s32(even, min), max.even));
    return vmovntq_s32(lower, vminq_s32(vmaxq_s32(odd, min), max.odd));
}

/* Weights of one tap. */
static int16x8_t weights8(const depthwise *d, const channels8 *k, int32_t tap)
{
    if (k->unpacked) {
        return vldrhq_s16(k->weights + 8 * tap);
    }
    const uint8_t *w = qmcu_mve_depthwise_weights(d, k->c, tap);
    return qmcu_mve_unpack8(w, d->p->weight_bits == 8u ? QMCU_S8 : QMCU_S4, vctp16q((uint32_t)k->count));
}

/* Writes the codes of eight channels. */
QMCU_INLINE void write8(const depthwise *d, const channels8 *k, const eight *s, uint8_t *to)
{
    const int16x8_t codes = requantize(&d->scale, k, s);
    if (d->out->format >= QMCU_U8) {
        vstrbq_s16((int8_t *)to, codes);
    } else {
        qmcu_mve_pack8(codes, qmcu_bits(d->out->format), 8, to);
    }
}

/* A run of eight channels whose weights are unpacked. Inlined with a constant format of the input. */
QMCU_INLINE void convolve(uint32_t format, const depthwise *d, const channels8 *k, const run *r)
{
    const qmcu_window *window = &d->p->window;
    const int32_t next = window->dilation_w * d->in->pixel_bytes;
    const int32_t next_row = window->dilation_h * d->in->row_bytes;
    const int32_t next_pixel = window->stride_w * d->in->pixel_bytes;
    const int32_t to_next = d->out->pixel_bytes;
    const int32_t w_next_row = 8 * window->kernel_w;
    const int16_t *const first_w = k->weights + 8 * r->first_tap;
    const uint8_t *x = r->x;
    uint8_t *to = r->to;
    int32_t pixels = r->pixels;
    /* Most kernels have three columns: without an inner loop, and each weight for two pixels. */
    for (; r->columns == 3 && pixels >= 2; pixels -= 2) {
        const uint8_t *row = x;
        const int16_t *w = first_w;
        eight s = eight_of(k->bias);
        eight s2 = s;
        for (int32_t i = r->rows; i > 0; i--) {
            const uint8_t *tap = row;
            for (int32_t j = 0; j < 3; j++) {
                const int16x8_t weights = vldrhq_s16(w + 8 * j);
                add_tap(&s, qmcu_mve_codes8(tap, format, 1, 0u), weights);
                add_tap(&s2, qmcu_mve_codes8(tap + next_pixel, format, 1, 0u), weights);
                tap += next;
            }
            row += next_row;
            w += w_next_row;
        }
        write8(d, k, &s, to);
        write8(d, k, &s2, to + to_next);
        x += 2 * next_pixel;
        to += 2 * to_next;
    }
    for (; pixels > 0; pixels--) {
        const uint8_t *row = x;
        const int16_t *w = first_w;
        eight s = eight_of(k->bias);
        for (int32_t i = r->rows; i > 0; i--) {
            const uint8_t *tap = row;
            const int16_t *weights = w;
            for (int32_t j = r->columns; j > 0; j--) {
                add_tap(&s, qmcu_mve_codes8(tap, format, 1, 0u), vldrhq_s16(weights));
                tap += next;
                weights += 8;
            }
            row += next_row;
            w += w_next_row;
        }
        write8(d, k, &s, to);
        x += next_pixel;
        to += to_next;
    }
}

typedef void run_function(const depthwise *d, const channels8 *k, const run *r);

#define RUN(name, in_format)                                                           \
    QMCU_KERNEL static void name(const depthwise *d, const channels8 *k, const run *r) \
    {                                                                                  \
        convolve(in_format, d, k, r);                                                  \
    }

RUN(run_u2, QMCU_U2)
RUN(run_s2, QMCU_S2)
RUN(run_u4, QMCU_U4)
RUN(run_s4, QMCU_S4)
RUN(run_u8, QMCU_U8)
RUN(run_s8, QMCU_S8)

/* Indexed by the format's number: QMCU_U2, QMCU_S2, ... QMCU_S8. */
static run_function *const runs[6] = {run_u2, run_s2, run_u4, run_s4, run_u8, run_s8};

/* A run of fewer channels, or with a larger kernel. */
static void convolve_any(const depthwise *d, const channels8 *k, const run *r)
{
    const qmcu_window *window = &d->p->window;
    const mve_pred16_t active = vctp16q((uint32_t)k->count);
    for (int32_t p = 0; p < r->pixels; p++) {
        eight s = eight_of(k->bias);
        for (int32_t i = 0; i < r->rows; i++) {
            for (int32_t j = 0; j < r->columns; j++) {
                const uint8_t *x = r->x + i * window->dilation_h * d->in->row_bytes +
                                   (j * window->dilation_w + p * window->stride_w) * d->in->pixel_bytes;
                add_tap(&s, qmcu_mve_unpack8(x, d->in->format, active),
                        weights8(d, k, r->first_tap + i * window->kernel_w + j));
            }
        }
        qmcu_mve_pack8(requantize(&d->scale, k, &s), qmcu_bits(d->out->format), k->count,
                       r->to + p * d->out->pixel_bytes);
    }
}

static void prepare(const depthwise *d, int32_t c, channels8 *k)
{
    const qmcu_requant *r = d->scale.requant;
    const int32_t taps = d->p->window.kernel_h * d->p->window.kernel_w;
    const int32_t last = d->in->channels - 1;
    k->c = c;
    k->count = qmcu_min(8, d->in->channels - c);
    k->unpacked = 0;
    for (int32_t j = 0; j < 8; j++) {
        const int32_t channel = qmcu_min(c + j, last);
        const int32_t place = j % 2 * 4 + j / 2;
        k->bias[place] = r->bias[channel];
        k->multiplier[place] = r->multiplier[channel];
        k->max[place] = r->max_table != NULL ? r->max_table[channel] : r->max;
    }
    vstrwq_s32(k->bias, vrshlq_n_s32(vldrwq_s32(k->bias), d->scale.bias_shift));
    vstrwq_s32(k->bias + 4, vrshlq_n_s32(vldrwq_s32(k->bias + 4), d->scale.bias_shift));
    if (taps <= UNPACKED_TAPS) {
        for (int32_t tap = 0; tap < taps; tap++) {
            vstrhq_s16(k->weights + 8 * tap, weights8(d, k, tap));
        }
        k->unpacked = 1;
    }
}

/* Adds to the bias what the taps outside the input contribute: the code of padding times the weight. */
static void add_padding(const depthwise *d, channels8 *k, qmcu_taps ky, qmcu_taps kx)
{
    const qmcu_window *window = &d->p->window;
    const int16x8_t codes = vldrhq_z_s16(d->p->pad_codes + k->c, vctp16q((uint32_t)k->count));
    eight s = eight_of(k->bias);
    for (int32_t y = 0; y < window->kernel_h; y++) {
        for (int32_t x = 0; x < window->kernel_w; x++) {
            if (y < ky.first || y >= ky.end || x < kx.first || x >= kx.end) {
                add_tap(&s, codes, weights8(d, k, y * window->kernel_w + x));
            }
        }
    }
    vstrwq_s32(k->bias, s.even);
    vstrwq_s32(k->bias + 4, s.odd);
}

/* Eight channels of output row oy, whose window begins at row y of the input. */
static void convolve_row(const depthwise *d, channels8 *k, int32_t oy, int32_t y)
{
    const qmcu_window *window = &d->p->window;
    const qmcu_map *in = d->in;
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
    const int32_t last =
        in->w - (window->kernel_w - 1) * window->dilation_w - 1; /* where the last window inside begins */
    const eight bias = eight_of(k->bias);
    run r;
    r.to = qmcu_at(d->out, oy, 0, k->c);
    for (int32_t ox = 0; ox < d->out->w; ox += r.pixels) {
        const int32_t x = ox * window->stride_w - window->pad_left;
        qmcu_taps kx = {0, window->kernel_w};
        r.pixels = 1;
        if (x >= 0 && x <= last) {
            r.pixels = qmcu_min((last - x) / window->stride_w + 1, d->out->w - ox);
        } else {
            kx = qmcu_taps_inside(x, window->kernel_w, window->dilation_w, in->w);
        }
        r.columns = kx.end - kx.first;
        /* A window wholly outside has no address. */
        r.rows = r.columns > 0 ? ky.end - ky.first : 0;
        const int padded = d->p->pad_codes != NULL && r.rows * r.columns != window->kernel_h * window->kernel_w;
        if (padded) {
            add_padding(d, k, ky, kx);
        }
        r.first_tap = r.rows > 0 ? ky.first * window->kernel_w + kx.first : 0;
        r.x = r.rows > 0 ? qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, k->c)
                         : in->data;
        (k->unpacked && k->count == 8 ? runs[in->format] : convolve_any)(d, k, &r);
        if (padded) {
            vstrwq_s32(k->bias, bias.even);
            vstrwq_s32(k->bias + 4, bias.odd);
        }
        r.to += r.pixels * d->out->pixel_bytes;
    }
}

/* Eight channels from c on; the last eight again rather than fewer, where they begin on a byte of maps and weights. */
static QMCU_MVE_NOINLINE void convolve_eight(const depthwise *d, int32_t c, int32_t oy, int32_t y)
{
    const int32_t channels = d->in->channels;
    channels8 k;
    prepare(d, c + 8 > channels && channels > 8 && channels % 4 == 0 ? channels - 8 : c, &k);
    convolve_row(d, &k, oy, y);
}

QMCU_KERNEL void qmcu_depthwise2d(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    depthwise d;
    d.p = params;
    d.in = in;
    d.out = out;
    d.scale = qmcu_mve_scale_of(&params->requant);
    d.row_bytes = qmcu_weight_row_bytes((uint32_t)in->channels, params->weight_bits);
#ifdef QMCU_SIXTEEN
    const int sixteens = qmcu_mve_takes_sixteens(&d);
#endif
    for (int32_t oy = 0; oy < out->h; oy++) {
        const int32_t y = oy * params->window.stride_h - params->window.pad_top;
        for (int32_t c = 0; c < in->channels;) {
#ifdef QMCU_SIXTEEN
            if (sixteens && qmcu_mve_depthwise_sixteen(&d, c, oy, y)) {
                c += 16;
                continue;
            }
#endif
            convolve_eight(&d, c, oy, y);
            c += 8;
        }
    }
}

#endif /* QMCU_MVE */
