/*
 * QuantMCU runtime: depthwise convolution of sixteen channels for the vector extension Helium.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_depthwise2d_mve_sixteen.h"

#ifdef QMCU_SIXTEEN

/* All rows of a window of 3 x 3 are read in the input, those outside with weights of 0. */
int qmcu_mve_takes_sixteens(const qmcu_mve_depthwise *d)
{
    const qmcu_window *window = &d->p->window;
    const int is_narrow = d->in->format < QMCU_U8 || d->out->format < QMCU_U8 || d->p->weight_bits < 8u;
    return d->in->format >= QMCU_U4 && d->out->format >= QMCU_U4 && d->p->pad_codes == NULL && d->in->channels >= 16 &&
           !(is_narrow && d->in->channels % 2 != 0) && window->kernel_h == 3 && window->kernel_w == 3 &&
           window->dilation_h == 1 && window->dilation_w == 1 && d->in->h >= 3 && d->in->w >= 3;
}

/*
 * Weights of sixteen channels as bytes for three rows of the input from row `first` on, where the window begins at row
 * y: zeros for rows that it does not read. 0 where a weight is -128, of which two products with 8-bit codes do not fit
 * in 16 bits.
 */
static int sixteen_weights(const qmcu_mve_depthwise *d, int32_t c, int32_t first, int32_t y, qmcu_sixteen *k)
{
    int8_t *to = k->weights;
    int8x16_t least = vdupq_n_s8(0);
    for (int32_t i = first - y; i < first - y + 3; i++) {
        if (i < 0 || i >= 3) {
            for (int32_t j = 0; j < 3; j++) {
                vstrbq_s8(to, vdupq_n_s8(0));
                to += 16;
            }
            continue;
        }
        const uint8_t *from = qmcu_mve_depthwise_weights(d, c, 3 * i);
        for (int32_t j = 0; j < 3; j++) {
            int8x16_t w;
            if (d->p->weight_bits == 8u) {
                w = vldrbq_s8((const int8_t *)from);
                least = vminq_s8(least, w);
            } else {
                const uint16x8_t bytes = vldrbq_u16(from);
                const int8x16_t apart = vreinterpretq_s8_u16(vsliq_n_u16(bytes, bytes, 4));
                w = vshrq_n_s8(vshlq_n_s8(apart, 4), 4);
            }
            vstrbq_s8(to, w);
            from += d->row_bytes;
            to += 16;
        }
    }
    return d->in->format < QMCU_U8 || vminvq_s8(0, least) > -128;
}

static void prepare_sixteen(const qmcu_mve_depthwise *d, int32_t c, qmcu_sixteen *k)
{
    const qmcu_requant *r = d->scale.requant;
    const uint32x4_t fourth = vidupq_n_u32(0u, 4);
    for (int32_t g = 0; g < 4; g++) {
        const int32_t first = c + (g == 1 ? 2 : g == 2 ? 1 : g);
        const int32x4_t bias = vldrwq_gather_shifted_offset_s32(r->bias + first, fourth);
        vstrwq_s32(k->bias + 4 * g, vrshlq_n_s32(bias, d->scale.bias_shift));
        vstrwq_s32(k->multiplier + 4 * g, vldrwq_gather_shifted_offset_s32(r->multiplier + first, fourth));
    }
    vstrhq_s16(k->min, vdupq_n_s16(r->min));
    if (r->max_table != NULL) {
        const uint16x8_t second = vidupq_n_u16(0u, 2);
        vstrhq_s16(k->max, vldrhq_gather_shifted_offset_s16(r->max_table + c, second));
        vstrhq_s16(k->max + 8, vldrhq_gather_shifted_offset_s16(r->max_table + c + 1, second));
    } else {
        vstrhq_s16(k->max, vdupq_n_s16(r->max));
        vstrhq_s16(k->max + 8, vdupq_n_s16(r->max));
    }
    vstrbq_u8(k->mask, vdupq_n_u8(15u));
    k->w = k->weights;
    k->next = d->in->pixel_bytes;
    k->next_row = d->in->row_bytes;
    k->next_pixel = d->p->window.stride_w * d->in->pixel_bytes;
    k->to_next = d->out->pixel_bytes;
    k->pre_shift = d->scale.pre_shift;
    k->shift = d->scale.shift;
}

/* Adds 128 times the weights to the bias: what codes lose that 128 is taken off. */
static void add_offset(qmcu_sixteen *k, const int8_t *w)
{
    int16x8_t even = vdupq_n_s16(0);
    int16x8_t odd = even;
    for (int32_t tap = 9; tap > 0; tap--) {
        const int8x16_t weights = vldrbq_s8(w);
        even = vaddq_s16(even, vmovlbq_s8(weights));
        odd = vaddq_s16(odd, vmovltq_s8(weights));
        w += 16;
    }
    vstrwq_s32(k->bias, vaddq_s32(vldrwq_s32(k->bias), vshllbq_n_s16(even, 7)));
    vstrwq_s32(k->bias + 4, vaddq_s32(vldrwq_s32(k->bias + 4), vshlltq_n_s16(even, 7)));
    vstrwq_s32(k->bias + 8, vaddq_s32(vldrwq_s32(k->bias + 8), vshllbq_n_s16(odd, 7)));
    vstrwq_s32(k->bias + 12, vaddq_s32(vldrwq_s32(k->bias + 12), vshlltq_n_s16(odd, 7)));
}

/*
 * The pixel whose window begins at column x of the input, with columns outside: the three columns from `first` on, with
 * their weights.
 */
static void convolve_border(const qmcu_mve_depthwise *d, qmcu_sixteen *k, qmcu_sixteen_function *function, int32_t x,
                            int32_t first, const uint8_t *row, uint8_t *to)
{
    QMCU_ALIGN(4) int8_t weights[16 * 9];
    int32x4_t bias[4];
    for (int32_t i = 0; i < 9; i++) {
        const int32_t j = i % 3 + first - x;
        vstrbq_s8(weights + 16 * i, j >= 0 && j < 3 ? vldrbq_s8(k->weights + 16 * (i - i % 3 + j)) : vdupq_n_s8(0));
    }
    for (int32_t g = 0; g < 4; g++) {
        bias[g] = vldrwq_s32(k->bias + 4 * g);
    }
    if (d->in->format == QMCU_U8) {
        add_offset(k, weights);
    }
    k->w = weights;
    k->pixels = 1;
    function(k, row + first * d->in->pixel_bytes, to);
    k->w = k->weights;
    for (int32_t g = 0; g < 4; g++) {
        vstrwq_s32(k->bias + 4 * g, bias[g]);
    }
}

int qmcu_mve_depthwise_sixteen(const qmcu_mve_depthwise *d, int32_t c, int32_t oy, int32_t y)
{
    const qmcu_map *in = d->in;
    const int32_t stride = d->p->window.stride_w;
    const int32_t begin = qmcu_min(c, in->channels - 16);
    const int32_t first = y < 0 ? 0 : qmcu_min(y, in->h - 3);
    const uint32_t of_weights = d->p->weight_bits < 8u && in->format >= QMCU_U8 ? 2u : 0u;
    qmcu_sixteen_function *const function =
        qmcu_sixteen_functions[in->format - QMCU_U4 + of_weights][d->out->format >= QMCU_U8];
    const uint8_t *row = qmcu_at(in, first, 0, begin);
    uint8_t *to = qmcu_at(d->out, oy, 0, begin);
    qmcu_sixteen k;
    if (!sixteen_weights(d, begin, first, y, &k)) {
        return 0;
    }
    prepare_sixteen(d, begin, &k);
    /* Pixels before the first whose columns all lie inside, those, and the ones after them. */
    int32_t ox = 0;
    int32_t x = -d->p->window.pad_left;
    for (; ox < d->out->w && x < 0; ox++) {
        convolve_border(d, &k, function, x, 0, row, to);
        x += stride;
        to += k.to_next;
    }
    if (ox < d->out->w && x <= in->w - 3) {
        QMCU_ALIGN(4) int32_t bias[16];
        k.pixels = qmcu_min((in->w - 3 - x) / stride + 1, d->out->w - ox);
        for (int32_t i = 0; i < 16; i += 4) {
            vstrwq_s32(bias + i, vldrwq_s32(k.bias + i));
        }
        if (in->format == QMCU_U8) {
            add_offset(&k, k.weights);
        }
        function(&k, row + x * in->pixel_bytes, to);
        for (int32_t i = 0; i < 16; i += 4) {
            vstrwq_s32(k.bias + i, vldrwq_s32(bias + i));
        }
        ox += k.pixels;
        x += k.pixels * stride;
        to += k.pixels * k.to_next;
    }
    for (; ox < d->out->w; ox++) {
        convolve_border(d, &k, function, x, in->w - 3, row, to);
        x += stride;
        to += k.to_next;
    }
    return 1;
}

#endif /* QMCU_SIXTEEN */
