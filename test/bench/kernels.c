/*
 * Runs each layer of the table once between counting marks. Prints, per layer: its name, its multiply-accumulates
 * (elements for element-wise layers) and a checksum of its output, which is the same on every core.
 */
#include <string.h>

#include "counting.h"
#include "quantmcu.h"
#include "qmcu_layer_kernels.h"
#include "semihosting.h"

#define MAX_CHANNELS 1024
QMCU_ALIGN(8) static uint8_t input[300000], input2[60000], output[300000];
QMCU_ALIGN(8) static uint8_t weights[400000];
#if QMCU_DSP && !defined(BENCH_SHARED)
#define TWINS 1
QMCU_ALIGN(8) static int16_t twins[200000];
#else
#define TWINS 0
#endif
static int32_t bias[MAX_CHANNELS], multiplier[MAX_CHANNELS];

static uint32_t random_state = 777u;

static void randomize(void *data, size_t bytes)
{
    uint8_t *p = data;
    for (size_t i = 0; i < bytes; i++) {
        random_state = random_state * 1664525u + 1013904223u;
        p[i] = (uint8_t)(random_state >> 24);
    }
}

#if TWINS
/* Pairs of rows of 8-bit weights as qmcu_fully_connected_twins takes them; rows and their length are multiples of 4. */
static void make_twins(int32_t rows, int32_t length)
{
    for (int32_t row = 0; row < rows; row += 2) {
        for (int32_t k = 0; k < length; k++) {
            const uint8_t *pair = weights + row * length + 2 * k;
            twins[row / 4 * 2 * length + k / 2 * 4 + row % 4 + k % 2] =
                (int16_t)(256 * (int8_t)pair[0] + (int8_t)pair[1]);
        }
    }
}
#endif

static int32_t bits_of(uint32_t format)
{
    return 2 << (format >> 1);
}

static qmcu_map dense_map(uint8_t *data, int32_t h, int32_t w, int32_t channels, uint32_t format)
{
    qmcu_map map;
    map.data = data;
    map.h = h;
    map.w = w;
    map.channels = channels;
    map.pixel_bytes = (channels * bits_of(format) + 7) / 8;
    map.row_bytes = w * map.pixel_bytes;
    map.format = format;
    return map;
}

/* Scales so that codes spread over the output's range: sums of `terms` random products have a deviation of ~74 * 74 *
 * sqrt(terms). */
static qmcu_requant requant_for(uint32_t format)
{
    static const int16_t lowest[6] = {0, -2, 0, -8, 0, -128};
    static const int16_t highest[6] = {3, 1, 15, 7, 255, 127};
    qmcu_requant r;
    for (int32_t c = 0; c < MAX_CHANNELS; c++) {
        bias[c] = (int32_t)(c * 37 % 2048) - 1024;
        multiplier[c] = 40000000 + c * 4096;
    }
    memset(&r, 0, sizeof r);
    r.bias = bias;
    r.multiplier = multiplier;
    r.shift = 6;
    r.min = lowest[format];
    r.max = highest[format];
    return r;
}

static void report(const char *name, int32_t macs, const qmcu_map *out)
{
    uint32_t hash = 2166136261u;
    for (int32_t i = 0; i < out->h * out->row_bytes; i++) {
        hash = (hash ^ out->data[i]) * 16777619u;
    }
    semihosting_print(name);
    semihosting_print("\t");
    semihosting_print_unsigned((uint32_t)macs);
    semihosting_print("\t");
    semihosting_print_unsigned(hash);
    semihosting_print("\n");
}

typedef struct {
    const char *name;
    char kind;    /* 'c' convolution, 'd' depthwise, 'f' fully connected, 'a' addition, 'm' maximum, 'p' average */
    int16_t size; /* of the input, square */
    int16_t in_channels;
    int16_t out_channels;
    int16_t kernel;
    int16_t stride;
    uint8_t format; /* of the input */
    uint8_t out_format;
    uint8_t weight_bits;
    void (*conv2d)(const qmcu_conv2d_params *params, const qmcu_map *in,
                   const qmcu_map *out); /* made for the layer, or NULL */
    void (*depthwise2d)(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out); /* likewise */
} layer;

#define LAYERS(CONV2D, DEPTHWISE2D, POLYNOMIAL, OTHER)                                                 \
    CONV2D(0, "pw 48x48x16-96", 48, 16, 96, 1, 1, QMCU_S8, QMCU_S8, 8)                                 \
    CONV2D(1, "pw 24x24x32-192", 24, 32, 192, 1, 1, QMCU_S8, QMCU_S8, 8)                               \
    CONV2D(2, "pw 12x12x96-24", 12, 96, 24, 1, 1, QMCU_S8, QMCU_S8, 8)                                 \
    CONV2D(3, "pw 24x24x192-32", 24, 192, 32, 1, 1, QMCU_S8, QMCU_S8, 8)                               \
    CONV2D(4, "conv3x3s2 96x96x3-16", 96, 3, 16, 3, 2, QMCU_S8, QMCU_S8, 8)                            \
    CONV2D(5, "conv3x3 24x24x16-32", 24, 16, 32, 3, 1, QMCU_S8, QMCU_S8, 8)                            \
    DEPTHWISE2D(6, "dw3x3s1 48x48x96", 48, 96, 3, 1, QMCU_S8, QMCU_S8, 8)                              \
    DEPTHWISE2D(7, "dw3x3s2 48x48x96", 48, 96, 3, 2, QMCU_S8, QMCU_S8, 8)                              \
    DEPTHWISE2D(8, "dw5x5s1 24x24x96", 24, 96, 5, 1, QMCU_S8, QMCU_S8, 8)                              \
    OTHER("fc 320-1000", 'f', 1, 320, 1000, 1, 1, QMCU_S8, QMCU_S8, 8)                                 \
    OTHER("add 48x48x24(elems)", 'a', 48, 24, 24, 1, 1, QMCU_S8, QMCU_S8, 8)                           \
    OTHER("avgpool 6x6x320(elems)", 'p', 6, 320, 320, 6, 1, QMCU_S8, QMCU_S8, 8)                       \
    CONV2D(9, "pw 48x48x16-96 u8-u8", 48, 16, 96, 1, 1, QMCU_U8, QMCU_U8, 8)                           \
    CONV2D(10, "pw 24x24x32-192 u4-u4", 24, 32, 192, 1, 1, QMCU_U4, QMCU_U4, 8)                        \
    CONV2D(11, "pw 24x24x192-32 u4-u4", 24, 192, 32, 1, 1, QMCU_U4, QMCU_U4, 8)                        \
    CONV2D(21, "pw 24x24x192-32 u2-u2", 24, 192, 32, 1, 1, QMCU_U2, QMCU_U2, 8)                        \
    CONV2D(12, "conv3x3 24x24x16-32 u4-u4", 24, 16, 32, 3, 1, QMCU_U4, QMCU_U4, 8)                     \
    POLYNOMIAL(13, "dw3x3s1 48x48x96 u4-u4", 48, 96, 3, 1, QMCU_U4, QMCU_U4, 8)                        \
    POLYNOMIAL(22, "dw3x3s1 48x48x96 u2-u2", 48, 96, 3, 1, QMCU_U2, QMCU_U2, 8)                        \
    CONV2D(14, "pw 24x24x32-192 4-bit weights", 24, 32, 192, 1, 1, QMCU_S8, QMCU_S8, 4)                \
    CONV2D(15, "pw 24x24x192-32 u4-u4 4-bit weights", 24, 192, 32, 1, 1, QMCU_U4, QMCU_U4, 4)          \
    POLYNOMIAL(16, "dw3x3s1 48x48x96 4-bit weights", 48, 96, 3, 1, QMCU_S8, QMCU_S8, 4)                \
    POLYNOMIAL(17, "dw3x3s1 48x48x96 u4-u4 4-bit weights", 48, 96, 3, 1, QMCU_U4, QMCU_U4, 4)          \
    DEPTHWISE2D(18, "narrow dw3x3s1 14x14x384 u8-u8", 14, 384, 3, 1, QMCU_U8, QMCU_U8, 8)              \
    POLYNOMIAL(19, "narrow dw3x3s1 14x14x384 u8-u8 4-bit weights", 14, 384, 3, 1, QMCU_U8, QMCU_U8, 4) \
    DEPTHWISE2D(20, "narrow dw3x3s1 7x7x960 u8-u8", 7, 960, 3, 1, QMCU_U8, QMCU_U8, 8)                 \
    OTHER("fc 320-1000 4-bit weights", 'f', 1, 320, 1000, 1, 1, QMCU_S8, QMCU_S8, 4)                   \
    OTHER("add 48x48x24 u4-u4(elems)", 'a', 48, 24, 24, 1, 1, QMCU_U4, QMCU_U4, 8)                     \
    OTHER("maxpool3x3s2 48x48x24", 'm', 48, 24, 24, 3, 2, QMCU_U8, QMCU_U8, 8)                         \
    OTHER("maxpool3x3s2 48x48x24 u4-u4", 'm', 48, 24, 24, 3, 2, QMCU_U4, QMCU_U4, 8)

#define PIXEL_BYTES(channels, format) ((channels) * (2 << ((format) >> 1)) / 8)
#define NOTHING(...)

/* The kernels that a generated model has for these layers; with -DBENCH_SHARED those that all layers share. */
#ifdef BENCH_SHARED
#define CONV2D_FUNCTION(n)      NULL
#define DEPTHWISE2D_FUNCTION(n) NULL
#else
#define CONV2D_FUNCTION(n)      conv2d_##n
#define DEPTHWISE2D_FUNCTION(n) depthwise2d_##n
#define SPECIAL_CONV2D(n, name, size, in, out, kernel, stride, format, out_format, weight_bits)             \
    QMCU_SPECIAL_CONV2D(conv2d_##n, (kernel) * (kernel) * (in), weight_bits, out_format, 0u, 0u, 0u, 6u, 0, \
                        PIXEL_BYTES(out, out_format))
#define SPECIAL_DEPTHWISE2D(n, name, size, channels, kernel, stride, format, out_format, weight_bits)             \
    QMCU_SPECIAL_DEPTHWISE2D(depthwise2d_##n, kernel, stride, ROWS(size, kernel, stride), out_format, 0u, 0u, 6u, \
                             PIXEL_BYTES(channels, out_format))
/* Rows that a depthwise kernel unpacks at a time, as the generator chooses them. */
#define ROOM(size, stride) \
    (QMCU_COLUMN_BYTES / 16 / ((((size) + (stride)-1) / (stride) + 3) / 4 * (stride) + 1))
#define ALL_ROWS(size, kernel, stride) ((((size) + (stride)-1) / (stride)-1) * (stride) + (kernel))
#define ROWS(size, kernel, stride)                                              \
    (ROOM(size, stride) < 8                                            ? kernel \
     : ALL_ROWS(size, kernel, stride) <= 8 || ROOM(size, stride) < 12  ? 8      \
     : ALL_ROWS(size, kernel, stride) <= 12 || ROOM(size, stride) < 16 ? 12     \
                                                                       : 16)
/* 4-bit weights, or codes, always fit. */
#define SPECIAL_POLYNOMIAL(n, name, size, channels, kernel, stride, format, out_format, weight_bits) \
    QMCU_SPECIAL_POLYNOMIAL(depthwise2d_##n, ROWS(size, kernel, stride), out_format, 0u, 0u, 6u,     \
                            PIXEL_BYTES(channels, out_format))
LAYERS(SPECIAL_CONV2D, SPECIAL_DEPTHWISE2D, SPECIAL_POLYNOMIAL, NOTHING)
#endif

#define CONV2D_LAYER(n, name, size, in, out, kernel, stride, format, out_format, weight_bits) \
    {name, 'c', size, in, out, kernel, stride, format, out_format, weight_bits, CONV2D_FUNCTION(n), NULL},
#define DEPTHWISE2D_LAYER(n, name, size, channels, kernel, stride, format, out_format, weight_bits) \
    {name,   'd',    size,       channels,    channels, kernel,                                     \
     stride, format, out_format, weight_bits, NULL,     DEPTHWISE2D_FUNCTION(n)},
#define OTHER_LAYER(name, kind, size, in, out, kernel, stride, format, out_format, weight_bits) \
    {name, kind, size, in, out, kernel, stride, format, out_format, weight_bits, NULL, NULL},
static const layer layers[] = {LAYERS(CONV2D_LAYER, DEPTHWISE2D_LAYER, DEPTHWISE2D_LAYER, OTHER_LAYER)};

/* Products of neighbouring weights whose sums stay in 16 bits, as the generator computes it. */
static uint16_t run_of(const layer *l, int32_t length)
{
    static const int16_t lowest[6] = {0, -2, 0, -8, 0, -128};
    static const int16_t highest[6] = {3, 1, 15, 7, 255, 127};
    int32_t run = length;
    for (int32_t o = 0; o < l->out_channels; o++) {
        for (int32_t from = 0; from < length; from += 4) {
            int32_t least = 0;
            int32_t largest = 0;
            for (int32_t k = from; k < length && k < from + run; k++) {
                const int32_t at = o / 2 * length +
                                   ((length & ~3) > k && l->weight_bits == 4 && (k % 4 == 1 || k % 4 == 2) ? k ^ 3 : k);
                const int32_t w = l->weight_bits == 8 ? (int8_t)weights[2 * at + o % 2]
                                                      : (int8_t)(o % 2 == 0 ? weights[at] << 4 : weights[at]) >> 4;
                least += w * (w < 0 ? highest[l->format] : lowest[l->format]);
                largest += w * (w < 0 ? lowest[l->format] : highest[l->format]);
                if (least < -32768 || largest > 32767) {
                    run = k - from;
                }
            }
        }
    }
    return (uint16_t)(run < length ? run & ~3 : (length + 3) & ~3);
}

static qmcu_window window_of(const layer *l)
{
    qmcu_window window = {l->kernel, l->kernel, l->stride, l->stride, 1, 1, 0, 0};
    /* "Same" padding as frameworks place it: the smaller half before. */
    const int16_t rest = (int16_t)(l->size % l->stride == 0 ? l->stride : l->size % l->stride);
    const int16_t before = (int16_t)((l->kernel - rest) / 2);
    window.pad_top = before > 0 ? before : 0;
    window.pad_left = window.pad_top;
    return window;
}

static void run_layer(const layer *l)
{
    const qmcu_map in = dense_map(input, l->size, l->size, l->in_channels, l->format);
    const int32_t size = l->kind == 'p' || l->kind == 'f' ? 1 : (l->size + l->stride - 1) / l->stride;
    const qmcu_map out = dense_map(output, size, size, l->out_channels, l->out_format);
    const qmcu_window window = window_of(l);
    const int32_t taps = l->kernel * l->kernel;
    int32_t macs = size * size * l->out_channels * taps * l->in_channels;
    memset(output, 0, sizeof output);
    randomize(input, (size_t)(in.h * in.row_bytes));
    randomize(weights, (size_t)(l->out_channels * taps * (l->kind == 'd' ? 1 : l->in_channels)));
    switch (l->kind) {
    case 'c': {
        const qmcu_conv2d_params params = {
            window, weights, NULL, requant_for(l->out_format), 1, l->weight_bits, run_of(l, taps * l->in_channels)};
        COUNTING_BEGIN();
        (l->conv2d != NULL ? l->conv2d : qmcu_conv2d)(&params, &in, &out);
        COUNTING_END();
        break;
    }
    case 'd': {
        const qmcu_depthwise2d_params params = {window, weights, NULL, requant_for(l->out_format), l->weight_bits};
        macs /= l->in_channels;
        COUNTING_BEGIN();
        (l->depthwise2d != NULL ? l->depthwise2d : qmcu_depthwise2d)(&params, &in, &out);
        COUNTING_END();
        break;
    }
    case 'f': {
        qmcu_fully_connected_params params = {weights, requant_for(l->out_format), l->weight_bits};
        /* Quantized weights are symmetric. */
        for (int32_t i = 0; l->weight_bits == 8 && i < l->in_channels * l->out_channels; i++) {
            weights[i] = weights[i] == 0x80u ? 0x81u : weights[i];
        }
#if TWINS
        if (l->weight_bits == 8) {
            make_twins(l->out_channels, l->in_channels);
            params.weights = twins;
            COUNTING_BEGIN();
            qmcu_fully_connected_twins(&params, &in, &out);
            COUNTING_END();
            break;
        }
#endif
        COUNTING_BEGIN();
        qmcu_fully_connected(&params, &in, &out);
        COUNTING_END();
        break;
    }
    case 'a': {
        const qmcu_map in2 = dense_map(input2, l->size, l->size, l->in_channels, l->format);
        qmcu_scaled_sum params = {{NULL, NULL}, NULL, 1 << 13, {9000, 8000}, 14, -128, 127};
        if (l->out_format == QMCU_U4) {
            params.min = 0;
            params.max = 15;
        }
        randomize(input2, (size_t)(in2.h * in2.row_bytes));
        macs = size * size * l->out_channels;
        COUNTING_BEGIN();
        qmcu_add(&params, &in, &in2, &out);
        COUNTING_END();
        break;
    }
    case 'm': {
        macs = size * size * l->out_channels * taps;
        COUNTING_BEGIN();
        qmcu_max_pool(&window, &in, &out);
        COUNTING_END();
        break;
    }
    default: {
        static int32_t scale[36], offset[36];
        const qmcu_average_pool_params params = {{6, 6, 1, 1, 1, 1, 0, 0}, scale, offset, 0, 16, 8, -128, 127};
        for (int32_t i = 0; i < 36; i++) {
            scale[i] = (1 << 24) / (i % 6 + 1) / (i / 6 + 1);
            offset[i] = 128;
        }
        macs = l->size * l->size * l->in_channels;
        COUNTING_BEGIN();
        qmcu_average_pool(&params, &in, &out);
        COUNTING_END();
    }
    }
    report(l->name, macs, &out);
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        run_layer(&layers[i]);
    }
    return 0;
}
