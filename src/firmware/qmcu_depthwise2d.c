/*
 * QuantMCU runtime: depthwise convolution.
 *
 * Row by row, four channels at a time: their weights are unpacked once for a row of the output.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_mve.h"
#include "qmcu_plain.h"
#include "qmcu_rows.h"
#include "qmcu_scale.h"

#if QMCU_MVE

QMCU_KERNEL void qmcu_depthwise2d(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_mve_depthwise2d(params, in, out);
}

#else

/* Larger kernels are not unpacked. 25: 5 x 5. */
#define UNPACKED_TAPS 25

/*
 * Four numbers of 16 bits. With the DSP extension in the order 0, 2, 1, 3, as SXTB16 takes them from four bytes.
 */
#if QMCU_DSP
#define PLACE(j) (((j) & 1u) * 2u + ((j) >> 1))
#else
#define PLACE(j) (j)
#endif

/* The sums of four channels. */
typedef struct {
    int32_t c0;
    int32_t c1;
    int32_t c2;
    int32_t c3;
} sums4;

struct run;

/* Writes the codes of four channels of one pixel. */
typedef void write_function(const struct run *r, const sums4 *s, uint8_t *to);

/* Pixels of one row, all of whose windows lie in the same way in the input; four channels. */
typedef struct run {
    const uint8_t *x;    /* first tap of the first pixel */
    const int16_t *w;    /* four weights of the first tap */
    int32_t rows;        /* of taps inside the input */
    int32_t columns;
    int32_t x_next_row;  /* bytes from one row of taps to the next */
    int32_t x_next;      /* bytes from one tap to the next */
    int32_t w_next_row;  /* numbers from one row of weights to the next */
    sums4 first;         /* bias, and what the taps outside contribute */
    const qmcu_scale *scale;
    const int32_t *multiplier; /* of the four channels */
    int32_t c;           /* first channel */
    int32_t pixels;
    int32_t x_next_pixel;
    uint8_t *to;
    int32_t to_next_pixel;
    uint32_t format;     /* of the output */
    write_function *write;
} run;

#if QMCU_DSP
/* Two halves with `bits` bits of a word's halves each, extended by their sign where the format is signed. */
QMCU_INLINE uint32_t halves(uint32_t word, uint32_t format)
{
    const uint32_t bits = qmcu_bits(format);
    const uint32_t sign = 0x00010001u << (bits - 1u);
    const uint32_t codes = word & 0x00010001u * ((1u << bits) - 1u);
    return (format & 1u) != 0u ? qmcu_ssub16(codes ^ sign, sign) : codes;
}

/* Codes 0 and 2 from byte p on. */
QMCU_INLINE uint32_t even_codes(uint32_t word, uint32_t format)
{
    switch (format) {
    case QMCU_U8:
        return qmcu_uxtb16(word);
    case QMCU_S8:
        return qmcu_sxtb16(word);
    case QMCU_U4:
    case QMCU_S4:
        return halves(word | word << 8, format);
    default:
        return halves(word | word << 12, format);
    }
}

/* Codes 1 and 3. */
QMCU_INLINE uint32_t odd_codes(uint32_t word, uint32_t format)
{
    switch (format) {
    case QMCU_U8:
        return qmcu_uxtb16_ror8(word);
    case QMCU_S8:
        return qmcu_sxtb16_ror8(word);
    case QMCU_U4:
    case QMCU_S4:
        return halves(word >> 4 | word << 4, format);
    default:
        return halves(word >> 2 | word << 10, format);
    }
}

/* The bytes of four codes. */
QMCU_INLINE uint32_t load4(const uint8_t *p, uint32_t format)
{
    switch (format) {
    case QMCU_U8:
    case QMCU_S8:
        return qmcu_load_unaligned(p);
    case QMCU_U4:
    case QMCU_S4:
        return p[0] | (uint32_t)p[1] << 8;
    default:
        return p[0];
    }
}
#endif

/* Adds four codes times four weights. */
QMCU_INLINE void add_tap(uint32_t format, sums4 *s, const uint8_t *x, const int16_t *w)
{
#if QMCU_DSP
    const uint32_t codes = load4(x, format);
    const uint32_t even = even_codes(codes, format);
    const uint32_t even_weights = qmcu_load(w);
    s->c0 = qmcu_smlabb(even, even_weights, s->c0);
    s->c2 = qmcu_smlatt(even, even_weights, s->c2);
    const uint32_t odd = odd_codes(codes, format);
    const uint32_t odd_weights = qmcu_load(w + 2);
    s->c1 = qmcu_smlabb(odd, odd_weights, s->c1);
    s->c3 = qmcu_smlatt(odd, odd_weights, s->c3);
#else
    s->c0 = qmcu_plain_mla(qmcu_code(x, 0u, format), w[0], s->c0);
    s->c1 = qmcu_plain_mla(qmcu_code(x, 1u, format), w[1], s->c1);
    s->c2 = qmcu_plain_mla(qmcu_code(x, 2u, format), w[2], s->c2);
    s->c3 = qmcu_plain_mla(qmcu_code(x, 3u, format), w[3], s->c3);
#endif
}

/* The codes of up to four channels from c on. */
static void write_codes(const qmcu_scale *scale, const int32_t *multiplier, int32_t c, int32_t count, uint32_t format, const sums4 *s, uint8_t *to)
{
    const int32_t sums[4] = { s->c0, s->c1, s->c2, s->c3 };
    qmcu_writer writer = qmcu_write_pixel(to, format);
    for (int32_t j = 0; j < count; j++) {
#if QMCU_DSP
        if (scale->saturate != 0u) {
            qmcu_write(&writer, (int32_t)(qmcu_scale_saturated(scale, scale->saturate, multiplier[j], sums[j]) ^ scale->flip));
            continue;
        }
#endif
        qmcu_write(&writer, qmcu_scale_acc(scale, multiplier[j], qmcu_scale_max(scale, c + j), sums[j]));
    }
    qmcu_write_end(&writer);
}

#if QMCU_DSP
/* The codes of four channels, saturated; `bits` is a constant, 8 or 4. */
QMCU_INLINE void write_saturated(const qmcu_scale *scale, uint32_t bits, const int32_t *multiplier, const sums4 *s, uint8_t *to)
{
    const uint32_t c0 = qmcu_scale_saturated(scale, bits, multiplier[0], s->c0) ^ scale->flip;
    const uint32_t c1 = qmcu_scale_saturated(scale, bits, multiplier[1], s->c1) ^ scale->flip;
    const uint32_t c2 = qmcu_scale_saturated(scale, bits, multiplier[2], s->c2) ^ scale->flip;
    const uint32_t c3 = qmcu_scale_saturated(scale, bits, multiplier[3], s->c3) ^ scale->flip;
    if (bits == 8u) {
        to[0] = (uint8_t)c0;
        to[1] = (uint8_t)c1;
        to[2] = (uint8_t)c2;
        to[3] = (uint8_t)c3;
    } else {
        to[0] = (uint8_t)((c0 & 15u) | c1 << 4);
        to[1] = (uint8_t)((c2 & 15u) | c3 << 4);
    }
}
#endif

#if QMCU_PLAIN
/* Code of a sum where all codes of `bits` bits, 8 or 4, are possible. */
QMCU_INLINE uint32_t full_code(uint32_t bits, int is_signed, const qmcu_scale *scale, int32_t multiplier, int32_t sum)
{
    const int32_t y = (qmcu_mulhi(qmcu_shift_left(sum, scale->pre_shift), multiplier) + scale->round) >> scale->shift;
    return (uint32_t)(bits == 8u ? qmcu_plain_saturate(is_signed, y) : qmcu_plain_saturate4(is_signed, y));
}

#define WRITE_FULL(name, bits, is_signed)                                                                         \
    QMCU_KERNEL static void name(const run *r, const sums4 *s, uint8_t *to)                                       \
    {                                                                                                             \
        const int32_t *m = r->multiplier;                                                                         \
        const uint32_t c0 = full_code(bits, is_signed, r->scale, m[0], s->c0);                                    \
        const uint32_t c1 = full_code(bits, is_signed, r->scale, m[1], s->c1);                                    \
        const uint32_t c2 = full_code(bits, is_signed, r->scale, m[2], s->c2);                                    \
        const uint32_t c3 = full_code(bits, is_signed, r->scale, m[3], s->c3);                                    \
        if (bits == 8u) {                                                                                         \
            to[0] = (uint8_t)c0;                                                                                  \
            to[1] = (uint8_t)c1;                                                                                  \
            to[2] = (uint8_t)c2;                                                                                  \
            to[3] = (uint8_t)c3;                                                                                  \
        } else {                                                                                                  \
            to[0] = (uint8_t)((c0 & 15u) | c1 << 4);                                                              \
            to[1] = (uint8_t)((c2 & 15u) | c3 << 4);                                                              \
        }                                                                                                         \
    }

WRITE_FULL(write_s8, 8u, 1)
WRITE_FULL(write_u8, 8u, 0)
WRITE_FULL(write_s4, 4u, 1)
WRITE_FULL(write_u4, 4u, 0)
#endif

/* Any codes of four channels. */
QMCU_KERNEL static void write_any(const run *r, const sums4 *s, uint8_t *to)
{
    write_codes(r->scale, r->multiplier, r->c, 4, r->format, s, to);
}

static write_function *write_of(const qmcu_requant *r, uint32_t format)
{
#if QMCU_PLAIN
    if (qmcu_plain_full(r, format)) {
        switch (format) {
        case QMCU_S8:
            return write_s8;
        case QMCU_U8:
            return write_u8;
        case QMCU_S4:
            return write_s4;
        case QMCU_U4:
            return write_u4;
        default:
            break;
        }
    }
#else
    (void)r;
    (void)format;
#endif
    return write_any;
}

/* Adds three taps beside each other. */
QMCU_INLINE void add_row3(uint32_t format, sums4 *s, const uint8_t *x, int32_t next, const int16_t *w)
{
    add_tap(format, s, x, w);
    add_tap(format, s, x + next, w + 4);
    add_tap(format, s, x + 2 * next, w + 8);
}

/* Adds any taps. */
QMCU_INLINE void add_taps(uint32_t format, sums4 *s, const run *r, const uint8_t *x)
{
    const int16_t *w = r->w;
    for (int32_t i = r->rows; i > 0; i--) {
        const uint8_t *tap = x;
        const int16_t *weights = w;
        for (int32_t j = r->columns; j > 0; j--) {
            add_tap(format, s, tap, weights);
            tap += r->x_next;
            weights += 4;
        }
        x += r->x_next_row;
        w += r->w_next_row;
    }
}

/* Convolves a run. Inlined with a constant format of the input. */
QMCU_INLINE void convolve(uint32_t format, const run *r)
{
    const uint8_t *first = r->x;
    uint8_t *to = r->to;
    const int whole3 = r->rows == 3 && r->columns == 3 && r->w_next_row == 12;
    for (int32_t pixels = r->pixels; pixels > 0; pixels--) {
        sums4 s = r->first;
        /* Most kernels are 3 x 3: without loops. */
        if (whole3) {
            const int32_t next = r->x_next;
            const int32_t next_row = r->x_next_row;
            const int16_t *w = r->w;
            add_row3(format, &s, first, next, w);
            add_row3(format, &s, first + next_row, next, w + 12);
            add_row3(format, &s, first + 2 * next_row, next, w + 24);
        } else {
            add_taps(format, &s, r, first);
        }
#if QMCU_DSP
        if (r->scale->saturate == 8u) {
            write_saturated(r->scale, 8u, r->multiplier, &s, to);
        } else if (r->scale->saturate == 4u) {
            write_saturated(r->scale, 4u, r->multiplier, &s, to);
        } else
#endif
        {
            /* A copy, so that the sums need no address and stay in registers. */
            const sums4 whole = s;
            r->write(r, &whole, to);
        }
        first += r->x_next_pixel;
        to += r->to_next_pixel;
    }
}

typedef void run_function(const run *r);

#define RUN(name, format)                           \
    QMCU_KERNEL static void name(const run *r)      \
    {                                               \
        convolve(format, r);                        \
    }

RUN(run_u2, QMCU_U2)
RUN(run_s2, QMCU_S2)
RUN(run_u4, QMCU_U4)
RUN(run_s4, QMCU_S4)
RUN(run_u8, QMCU_U8)
RUN(run_s8, QMCU_S8)

/* Indexed by the format's number: QMCU_U2, QMCU_S2, ... QMCU_S8. */
static run_function *const runs[6] = { run_u2, run_s2, run_u4, run_s4, run_u8, run_s8 };

/* What every pixel of one call needs. */
typedef struct {
    const qmcu_depthwise2d_params *p;
    const qmcu_map *in;
    const qmcu_map *out;
    qmcu_scale scale;
    uint32_t row_bytes; /* of the weights of one tap */
} depthwise;

/* Up to four channels from c on. */
typedef struct {
    int32_t c;
    int32_t count;
    sums4 bias;
    int32_t multiplier[4];
    int unpacked;
    QMCU_ALIGN(4) int16_t weights[4 * UNPACKED_TAPS]; /* where unpacked: by tap, each four at their PLACEs */
} channels4;

QMCU_INLINE const uint8_t *weights_of(const depthwise *d, int32_t c, int32_t tap)
{
    const uint8_t *weights = d->p->weights;
    return weights + (uint32_t)tap * d->row_bytes + (uint32_t)c * d->p->weight_bits / 8u;
}

static void prepare(const depthwise *d, int32_t c, channels4 *k)
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
        const uint32_t word = load4(w, format);
        qmcu_store(to, even_codes(word, format));
        qmcu_store(to + 2, odd_codes(word, format));
#else
        for (uint32_t j = 0u; j < 4u; j++) {
            to[PLACE(j)] = (int16_t)qmcu_weight(w, j, d->p->weight_bits);
        }
#endif
        to += 4;
        w += d->row_bytes;
    }
}

/* Adds code * weight for channel j. */
QMCU_INLINE void add_one(sums4 *s, int32_t j, int32_t product)
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
static void add_packed(const depthwise *d, const channels4 *k, const run *r, int32_t first_tap, sums4 *s)
{
    for (int32_t i = 0; i < r->rows; i++) {
        for (int32_t j = 0; j < r->columns; j++) {
            const uint8_t *x = r->x + i * r->x_next_row + j * r->x_next;
            const uint8_t *w = weights_of(d, k->c, first_tap + i * d->p->window.kernel_w + j);
            for (int32_t c = 0; c < k->count; c++) {
                add_one(s, c, qmcu_code(x, (uint32_t)c, d->in->format) * qmcu_weight(w, (uint32_t)c, d->p->weight_bits));
            }
        }
    }
}

/* Adds what the taps outside the input contribute: the code of padding times the weight. */
static void add_padding(const depthwise *d, const channels4 *k, qmcu_taps ky, qmcu_taps kx, sums4 *s)
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
static void convolve_row(const depthwise *d, const channels4 *k, int32_t oy, int32_t y)
{
    const qmcu_window *window = &d->p->window;
    const qmcu_map *in = d->in;
    const qmcu_taps ky = qmcu_taps_inside(y, window->kernel_h, window->dilation_h, in->h);
    const int32_t last = in->w - (window->kernel_w - 1) * window->dilation_w - 1; /* where the last window inside begins */
    run r;
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
    r.write = write_of(&d->p->requant, r.format);

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
        r.x = r.rows > 0 ? qmcu_at(in, y + ky.first * window->dilation_h, x + kx.first * window->dilation_w, k->c) : in->data;
        if (k->unpacked) {
            r.w = r.rows > 0 ? k->weights + 4 * first_tap : k->weights;
            runs[in->format](&r);
        } else {
            add_packed(d, k, &r, first_tap, &r.first);
            write_codes(r.scale, r.multiplier, k->c, k->count, r.format, &r.first, r.to);
        }
        r.to += r.pixels * r.to_next_pixel;
    }
}

/* Any layer, tap by tap. */
static QMCU_NOINLINE void convolve_by_taps(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    depthwise d;
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

QMCU_KERNEL void qmcu_depthwise2d(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
#if QMCU_DSP
    if (qmcu_depthwise_rows(params, in, out)) {
        return;
    }
#endif
    convolve_by_taps(params, in, out);
}

#endif /* QMCU_MVE */
