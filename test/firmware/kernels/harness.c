#include "harness.h"

#include "quantmcu.h"

#ifdef HARNESS_SPECIALS
/* Kernels made for the cases in turn, or NULL: specials.test.ts. */
typedef void conv2d_function(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out);
typedef void depthwise2d_function(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);
extern conv2d_function *const harness_conv2d[];
extern depthwise2d_function *const harness_depthwise2d[];
static int case_number = -1;
#define QMCU_CONV2D      harness_conv2d[case_number]
#define QMCU_DEPTHWISE2D harness_depthwise2d[case_number]
#else
#define QMCU_CONV2D      qmcu_conv2d
#define QMCU_DEPTHWISE2D qmcu_depthwise2d
#endif

/* The kernel of this name, or that for 16 bits where a map has them. */
#define KERNEL(name, in0, in1, out) (is_wide(in0, in1, out) ? qmcu_##name##_s16 : qmcu_##name)

static int is_wide(const qmcu_map *in0, const qmcu_map *in1, const qmcu_map *out)
{
    return in0->format == QMCU_S16 || in1->format == QMCU_S16 || out->format == QMCU_S16;
}

int32_t harness_word(harness_reader *reader)
{
    const uint8_t *p = reader->p;
    reader->p += 4;
    return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

/* Length, then the bytes, padded to words; a length of -1 stands for NULL. */
static const void *block(harness_reader *reader)
{
    const int32_t length = harness_word(reader);
    if (length < 0) {
        return NULL;
    }
    const uint8_t *bytes = reader->p;
    reader->p += ((size_t)length + 3u) & ~(size_t)3u;
    return reader->place(bytes, (size_t)length);
}

static qmcu_map read_map(harness_reader *r, uint8_t *arena)
{
    qmcu_map map;
    map.data = arena + harness_word(r);
    map.h = harness_word(r);
    map.w = harness_word(r);
    map.channels = harness_word(r);
    map.pixel_bytes = harness_word(r);
    map.row_bytes = harness_word(r);
    map.format = (uint32_t)harness_word(r);
    return map;
}

static qmcu_window read_window(harness_reader *r)
{
    qmcu_window w;
    w.kernel_h = (int16_t)harness_word(r);
    w.kernel_w = (int16_t)harness_word(r);
    w.stride_h = (int16_t)harness_word(r);
    w.stride_w = (int16_t)harness_word(r);
    w.dilation_h = (int16_t)harness_word(r);
    w.dilation_w = (int16_t)harness_word(r);
    w.pad_top = (int16_t)harness_word(r);
    w.pad_left = (int16_t)harness_word(r);
    return w;
}

static qmcu_requant read_requant(harness_reader *r)
{
    qmcu_requant q;
    q.bias = block(r);
    q.multiplier = block(r);
    q.max_table = block(r);
    q.bias_shift = (int8_t)harness_word(r);
    q.pre_shift = (uint8_t)harness_word(r);
    q.shift = (uint8_t)harness_word(r);
    q.min = (int16_t)harness_word(r);
    q.max = (int16_t)harness_word(r);
    return q;
}

static qmcu_scaled_sum read_sum(harness_reader *r)
{
    qmcu_scaled_sum s;
    for (int i = 0; i < 2; i++) {
        s.multiplier_table[i] = block(r);
        s.multiplier[i] = (int16_t)harness_word(r);
    }
    s.offset_table = block(r);
    s.offset = harness_word(r);
    s.shift = (uint8_t)harness_word(r);
    s.min = (int16_t)harness_word(r);
    s.max = (int16_t)harness_word(r);
    return s;
}

static void run_conv2d(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_conv2d_params p;
    p.window = read_window(r);
    p.weights = block(r);
    p.weight_bits = (uint8_t)harness_word(r);
    p.pad_codes = block(r);
    p.requant = read_requant(r);
    p.group = harness_word(r);
    p.run = (uint16_t)harness_word(r);
    (is_wide(in, in, out) ? qmcu_conv2d_s16 : QMCU_CONV2D)(&p, in, out);
}

static void run_depthwise2d(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_depthwise2d_params p;
    p.window = read_window(r);
    p.weights = block(r);
    p.weight_bits = (uint8_t)harness_word(r);
    p.pad_codes = block(r);
    p.requant = read_requant(r);
    (is_wide(in, in, out) ? qmcu_depthwise2d_s16 : QMCU_DEPTHWISE2D)(&p, in, out);
}

static void run_fully_connected(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_fully_connected_params p;
    p.weights = block(r);
    p.weight_bits = (uint8_t)harness_word(r);
    p.requant = read_requant(r);
    KERNEL(fully_connected, in, in, out)(&p, in, out);
}

static void run_twins(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_fully_connected_params p;
    p.weights = block(r);
    p.weight_bits = (uint8_t)harness_word(r);
    p.requant = read_requant(r);
    qmcu_fully_connected_twins(&p, in, out);
}

static void run_normalize(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_normalize_params p;
    p.epsilon = (uint32_t)harness_word(r);
    p.epsilon |= (uint64_t)(uint32_t)harness_word(r) << 32;
    p.multiplier = harness_word(r);
    p.centered = (uint8_t)harness_word(r);
    p.zero_in = (int16_t)harness_word(r);
    p.zero_out = (int16_t)harness_word(r);
    p.pre_shift = (uint8_t)harness_word(r);
    p.shift = (uint8_t)harness_word(r);
    p.min = (int16_t)harness_word(r);
    p.max = (int16_t)harness_word(r);
    qmcu_normalize(&p, in, out);
}

static void run_mul(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_mul_params p;
    p.zeros[0] = (int16_t)harness_word(r);
    p.zeros[1] = (int16_t)harness_word(r);
    p.requant = read_requant(r);
    KERNEL(mul, &in[0], &in[1], out)(&p, &in[0], &in[1], out);
}

static void run_average_pool(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_average_pool_params p;
    p.window = read_window(r);
    p.multiplier = block(r);
    p.offset = block(r);
    p.per_channel = (uint8_t)harness_word(r);
    p.pre_shift = (uint8_t)harness_word(r);
    p.shift = (uint8_t)harness_word(r);
    p.min = (int16_t)harness_word(r);
    p.max = (int16_t)harness_word(r);
    KERNEL(average_pool, in, in, out)(&p, in, out);
}

static void run_prelu(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_prelu_params p;
    p.positive_table = block(r);
    p.positive = (int16_t)harness_word(r);
    p.negative = block(r);
    p.offset = harness_word(r);
    p.shift = (uint8_t)harness_word(r);
    p.min = (int16_t)harness_word(r);
    p.max = (int16_t)harness_word(r);
    KERNEL(prelu, in, in, out)(&p, in, out);
}

static void run_resize(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_resize_params p;
    p.rows = block(r);
    p.cols = block(r);
    p.linear = (uint8_t)harness_word(r);
    KERNEL(resize, in, in, out)(&p, in, out);
}

static void run_softmax(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    const uint16_t *table = block(r);
    qmcu_softmax(table, (uint32_t)harness_word(r), in, out);
}

static void run_permute(harness_reader *r, const qmcu_map *in, const qmcu_map *out)
{
    qmcu_permute_params p;
    p.index16 = block(r);
    p.index32 = block(r);
    p.counters = block(r);
    p.first = harness_word(r);
    p.count = (uint8_t)harness_word(r);
    KERNEL(permute, in, in, out)(&p, in, out);
}

static void run_classify(harness_reader *r, const qmcu_map *in, uint8_t *arena)
{
    const int32_t low = harness_word(r);
    const int32_t high = harness_word(r);
    const int32_t limit = harness_word(r);
    qmcu_classify(low, high, limit, in, arena + harness_word(r));
}

/* Numbers of the kernels as in encode.ts. */
static int run_kernel(int32_t op, harness_reader *r, const qmcu_map *in, const qmcu_map *out, uint8_t *arena)
{
    qmcu_window window;
    qmcu_scaled_sum sum;
    switch (op) {
    case 0:
        run_conv2d(r, in, out);
        return 0;
    case 1:
        run_depthwise2d(r, in, out);
        return 0;
    case 2:
        run_fully_connected(r, in, out);
        return 0;
    case 3:
        sum = read_sum(r);
        KERNEL(add, &in[0], &in[1], out)(&sum, &in[0], &in[1], out);
        return 0;
    case 4:
        sum = read_sum(r);
        KERNEL(requantize, in, in, out)(&sum, in, out);
        return 0;
    case 5:
        run_mul(r, in, out);
        return 0;
    case 6:
        window = read_window(r);
        KERNEL(max_pool, in, in, out)(&window, in, out);
        return 0;
    case 7:
        run_average_pool(r, in, out);
        return 0;
    case 8:
        KERNEL(lookup, in, in, out)(block(r), in, out);
        return 0;
    case 9:
        run_prelu(r, in, out);
        return 0;
    case 10:
        qmcu_copy(in, out);
        return 0;
    case 11:
        KERNEL(fill, out, out, out)(block(r), out);
        return 0;
    case 12:
        run_resize(r, in, out);
        return 0;
    case 13:
        run_softmax(r, in, out);
        return 0;
    case 14:
        run_permute(r, in, out);
        return 0;
    case 15:
        run_classify(r, in, arena);
        return 0;
    case 16:
        run_twins(r, in, out);
        return 0;
    case 17:
        run_normalize(r, in, out);
        return 0;
    default:
        return -1;
    }
}

int harness_run(harness_reader *reader, uint8_t *arena)
{
    int32_t steps = harness_word(reader);
#ifdef HARNESS_SPECIALS
    case_number++;
#endif
    for (; steps > 0; steps--) {
        const int32_t words = harness_word(reader);
        const uint8_t *next = reader->p + 4 * words;
        const int32_t guard = harness_word(reader);
        const int32_t value = harness_word(reader);
        const int32_t op = harness_word(reader);
        const int32_t inputs = harness_word(reader);
        qmcu_map in[2];
        for (int32_t i = 0; i < inputs; i++) {
            in[i] = read_map(reader, arena);
        }
        const qmcu_map out = read_map(reader, arena);
        if (guard < 0 || arena[guard] == value) {
            if (run_kernel(op, reader, in, &out, arena) != 0 || reader->p != next) {
                return -1;
            }
        }
        reader->p = next;
    }
    return 0;
}
