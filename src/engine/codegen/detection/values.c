/* Where a field's codes are, and what they represent: ((code - zero) * multiplier + rounding) >> shift. */
typedef struct {
    uint32_t start; /* bytes from the arena's start */
    int32_t per_cell, per_anchor, per_field;
    const int32_t *multipliers;
    const int16_t *zeros;
    uint16_t formats_per_anchor, formats_per_field;
    uint8_t shift, is_signed;
} fields;

enum { FN_NONE, FN_SIGMOID, FN_SOFTMAX };
enum { FORM_CENTER, FORM_LTRB, FORM_CELL, FORM_DECODED };
enum { XY_LINEAR, XY_SIGMOID, XY_TANH };
enum { WH_LINEAR, WH_EXP, WH_SQUARE, WH_SIGMOID };
enum { ORDER_XYXY, ORDER_YXYX, ORDER_CENTER };
enum { SUPPRESS_NONE, SUPPRESS_CLASS, SUPPRESS_ALL };

typedef struct {
    int32_t rows, cols, anchors;
    int32_t stride, offset; /* 1/16 pixel, 8 more bits behind the point */
    uint8_t form, xy, wh, order, object_fn, score_fn, peaks, has_size, has_object, bins;
    int32_t xy_scale, wh_scale;
    const int32_t *units; /* by anchor: x, y, width, height, point x, point y in 1/16 pixel */
    fields box, size, object, score, points;
    const int16_t *least_object, *least_score;
    uint16_t least_object_per_anchor, least_per_anchor, least_per_field;
    int32_t count, background, least_above;
    int32_t object_power, class_power;
} level;

/* A box that may be given, 1/16 pixel of the network's input. */
typedef struct {
    int16_t x1, y1, x2, y2;
    uint16_t score, label;
    uint32_t location;
} candidate;

static int32_t code_at(const uint8_t *arena, const fields *f, int32_t cell, int32_t anchor, int32_t field)
{
    const uint8_t byte = arena[(int32_t)f->start + cell * f->per_cell + anchor * f->per_anchor + field * f->per_field];
    return f->is_signed ? (int8_t)byte : byte;
}

static int32_t value_at(const uint8_t *arena, const fields *f, int32_t cell, int32_t anchor, int32_t field)
{
    const int32_t format = anchor * f->formats_per_anchor + field * f->formats_per_field;
    const int32_t distance = code_at(arena, f, cell, anchor, field) - f->zeros[format];
    return (distance * f->multipliers[format] + (INT32_C(1) << (f->shift - 1))) >> f->shift;
}

/* Values have 12 bits behind the point, chances 15. */
static int32_t sigmoid(int32_t v)
{
    const int32_t a = v < 0 ? -v : v;
    const int32_t t = a < 32767 ? a : 32767;
    const int32_t low = sigmoid_table[t >> 7];
    const int32_t y = low + (((sigmoid_table[(t >> 7) + 1] - low) * (t & 127)) >> 7);
    return v < 0 ? 32768 - y : y;
}

/* factor * 2^u rounded down, for a factor of at most 2^15 and u below 14. */
static int32_t times_power(int32_t factor, int32_t u)
{
    const int32_t n = u >> 12;
    const int32_t f = u & 4095;
    const int32_t low = power_table[f >> 6];
    const int32_t y = low + (((power_table[(f >> 6) + 1] - low) * (f & 63)) >> 6);
    return n < -16 ? 0 : (int32_t)((uint32_t)factor * (uint32_t)y >> (14 - n));
}

static int32_t times_exp(int32_t factor, int32_t v)
{
    const int32_t t = v < -65536 ? -65536 : v > 36864 ? 36864 : v;
    return times_power(factor, (t * 23637) >> 14);
}

static int32_t logarithm(int32_t chance)
{
    int32_t n = 0;
    int32_t f, low;
    while ((chance >> n) > 1) {
        n++;
    }
    f = (chance << (15 - n)) - 32768;
    low = logarithm_table[f >> 9];
    return (n - 15) * 4096 + low + (((logarithm_table[(f >> 9) + 1] - low) * (f & 511)) >> 9);
}

static int32_t chance_of(int32_t v)
{
    return v <= 0 ? 0 : v >= 4096 ? 32768 : v << 3;
}

static int32_t combine(const level *l, int32_t object, int32_t chance)
{
    int32_t u;
    if (l->object_power == 4096 && l->class_power == 4096) {
        return (object * chance + 16384) >> 15;
    }
    if (object <= 0 || chance <= 0) {
        return 0;
    }
    u = (l->object_power * logarithm(object) + l->class_power * logarithm(chance)) >> 12;
    return times_power(32768, u < -65536 ? -65536 : u);
}

/* v * unit. */
static int32_t times(int32_t v, int32_t unit)
{
    const int32_t most = unit > 0 ? INT32_C(0x3fffffff) / unit : INT32_C(0x3fffffff);
    const int32_t t = v > most ? most : v < -most ? -most : v;
    return (t * unit + 2048) >> 12;
}

static int16_t saturate(int32_t v)
{
    return (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
}

static int32_t shift_of(const level *l, int32_t v)
{
    int32_t t;
    if (l->xy == XY_LINEAR) {
        return v;
    }
    if (l->xy == XY_SIGMOID) {
        return ((sigmoid(v) * l->xy_scale) >> 15) - ((l->xy_scale - 4096) >> 1);
    }
    t = v < -32768 ? -32768 : v > 32767 ? 32767 : v;
    return ((2 * sigmoid(2 * t) - 32768) * l->xy_scale) >> 15;
}

static int32_t extent(const level *l, int32_t v, int32_t unit)
{
    int32_t s;
    if (l->wh == WH_EXP) {
        s = times_exp(unit, v);
        return s < 65535 ? s : 65535;
    }
    if (l->wh == WH_LINEAR) {
        s = times(v, unit);
        return s > 0 ? s : 0;
    }
    s = (sigmoid(v) * l->wh_scale) >> 15;
    return times(l->wh == WH_SQUARE ? (s * s) >> 12 : s, unit);
}
