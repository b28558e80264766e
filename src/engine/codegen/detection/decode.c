/* Where a field's codes are, and what they stand for: ((code - zero) * multiplier + rounding) >> shift. */
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

/* The mean of a distance's bins by a softmax over them. */
static int32_t expectation(const uint8_t *arena, const level *l, int32_t cell, int32_t anchor, int32_t side,
                           int32_t unit)
{
    int32_t largest = -(INT32_C(1) << 30);
    int32_t sum = 0;
    int32_t weighted = 0;
    int32_t i;
    for (i = 0; i < l->bins; i++) {
        const int32_t v = value_at(arena, &l->box, cell, anchor, side * l->bins + i);
        largest = v > largest ? v : largest;
    }
    for (i = 0; i < l->bins; i++) {
        const int32_t e = times_exp(16384, value_at(arena, &l->box, cell, anchor, side * l->bins + i) - largest);
        sum += e;
        weighted += i * e;
    }
    return times((weighted / (sum >> 8)) << 4, unit);
}

static void point_of(const level *l, int32_t cell, int32_t *x, int32_t *y)
{
    const int32_t row = cell / l->cols;
    *x = ((cell - row * l->cols) * l->stride + l->offset + 128) >> 8;
    *y = (row * l->stride + l->offset + 128) >> 8;
}

static void box_of(const uint8_t *arena, const level *l, int32_t cell, int32_t anchor, candidate *out)
{
    const int32_t *const u = l->units + anchor * 6;
    int32_t px, py, x1, y1, x2, y2;
    point_of(l, cell, &px, &py);
    if (l->form == FORM_CELL) {
        x1 = px;
        y1 = py;
        x2 = px + u[2];
        y2 = py + u[3];
    } else if (l->form == FORM_LTRB) {
        int32_t d[4];
        int32_t k;
        for (k = 0; k < 4; k++) {
            if (l->bins > 1) {
                d[k] = expectation(arena, l, cell, anchor, k, u[2]);
            } else {
                const int32_t v = value_at(arena, &l->box, cell, anchor, k);
                d[k] = l->wh == WH_EXP ? times_exp(u[2], v) : times(v, u[2]);
            }
        }
        x1 = px - d[0];
        y1 = py - d[1];
        x2 = px + d[2];
        y2 = py + d[3];
    } else {
        const fields *const size = l->has_size ? &l->size : &l->box;
        const int32_t first = l->has_size ? 0 : 2;
        const int32_t a = value_at(arena, &l->box, cell, anchor, 0);
        const int32_t b = value_at(arena, &l->box, cell, anchor, 1);
        const int32_t c = value_at(arena, size, cell, anchor, first);
        const int32_t d = value_at(arena, size, cell, anchor, first + 1);
        if (l->form == FORM_CENTER) {
            const int32_t w = extent(l, c, u[2]);
            const int32_t h = extent(l, d, u[3]);
            x1 = px + times(shift_of(l, a), u[0]) - (w >> 1);
            y1 = py + times(shift_of(l, b), u[1]) - (h >> 1);
            x2 = x1 + w;
            y2 = y1 + h;
        } else if (l->order == ORDER_CENTER) {
            const int32_t w = times(c, u[0]);
            const int32_t h = times(d, u[1]);
            x1 = times(a, u[0]) - (w >> 1);
            y1 = times(b, u[1]) - (h >> 1);
            x2 = x1 + w;
            y2 = y1 + h;
        } else {
            const int swapped = l->order == ORDER_YXYX;
            x1 = times(swapped ? b : a, u[0]);
            y1 = times(swapped ? a : b, u[1]);
            x2 = times(swapped ? d : c, u[0]);
            y2 = times(swapped ? c : d, u[1]);
        }
    }
    out->x1 = saturate(x1);
    out->y1 = saturate(y1);
    out->x2 = saturate(x2);
    out->y2 = saturate(y2);
    if (out->x2 < out->x1) {
        out->x2 = out->x1;
    }
    if (out->y2 < out->y1) {
        out->y2 = out->y1;
    }
}

static int is_better(const candidate *a, const candidate *b)
{
    if (a->score != b->score) {
        return a->score > b->score;
    }
    return a->location != b->location ? a->location < b->location : a->label < b->label;
}

static void swap(candidate *a, candidate *b)
{
    const candidate t = *a;
    *a = *b;
    *b = t;
}

static void sink(candidate *heap, int32_t count)
{
    int32_t i = 0;
    for (;;) {
        int32_t worst = i;
        int32_t child;
        for (child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < count && is_better(&heap[worst], &heap[child])) {
                worst = child;
            }
        }
        if (worst == i) {
            return;
        }
        swap(&heap[worst], &heap[i]);
        i = worst;
    }
}

/* The heap holds the best candidates, the worst of them at its root. */
static void offer(candidate *heap, int32_t *count, const candidate *c)
{
    if (*count < CANDIDATES) {
        int32_t i = (*count)++;
        heap[i] = *c;
        while (i > 0 && is_better(&heap[(i - 1) >> 1], &heap[i])) {
            swap(&heap[(i - 1) >> 1], &heap[i]);
            i = (i - 1) >> 1;
        }
    } else if (is_better(c, &heap[0])) {
        heap[0] = *c;
        sink(heap, *count);
    }
}

static int is_peak(const uint8_t *arena, const level *l, int32_t cell, int32_t anchor, int32_t field)
{
    const int32_t own = code_at(arena, &l->score, cell, anchor, field);
    const int32_t y = cell / l->cols;
    const int32_t x = cell - y * l->cols;
    int32_t ny, nx;
    for (ny = y > 0 ? y - 1 : 0; ny <= y + 1 && ny < l->rows; ny++) {
        for (nx = x > 0 ? x - 1 : 0; nx <= x + 1 && nx < l->cols; nx++) {
            const int32_t other = ny * l->cols + nx;
            const int32_t c = code_at(arena, &l->score, other, anchor, field);
            if (c > own || (c == own && other < cell)) {
                return 0;
            }
        }
    }
    return 1;
}

/* What a softmax over a location's classes is made of; 0 where the background leaves too little for any. */
static int softmax(const uint8_t *arena, const level *l, int32_t cell, int32_t anchor, int32_t *largest, uint32_t *sum)
{
    int32_t other = -(INT32_C(1) << 30);
    int32_t k;
    *largest = other;
    for (k = 0; k < l->count; k++) {
        const int32_t v = value_at(arena, &l->score, cell, anchor, k);
        *largest = v > *largest ? v : *largest;
        other = k != l->background && v > other ? v : other;
    }
    if (l->background >= 0 && other - value_at(arena, &l->score, cell, anchor, l->background) < l->least_above) {
        return 0;
    }
    *sum = 0;
    for (k = 0; k < l->count; k++) {
        *sum += (uint32_t)times_exp(16384, value_at(arena, &l->score, cell, anchor, k) - *largest);
    }
    return 1;
}

static void scan(const uint8_t *arena, const level *l, int32_t cell, int32_t anchor, uint32_t location, candidate *heap,
                 int32_t *count)
{
    candidate c;
    int32_t object = 32768;
    int32_t largest = 0;
    uint32_t sum = 1;
    int32_t best_score = 0;
    int32_t best = -1;
    int32_t k, label;
    if (l->has_object) {
        int32_t v;
        if (code_at(arena, &l->object, cell, anchor, 0) < l->least_object[anchor * l->least_object_per_anchor]) {
            return;
        }
        v = value_at(arena, &l->object, cell, anchor, 0);
        object = l->object_fn == FN_SIGMOID ? sigmoid(v) : chance_of(v);
    }
    if (l->score_fn == FN_SOFTMAX && !softmax(arena, l, cell, anchor, &largest, &sum)) {
        return;
    }
    c.location = location;
    for (k = 0, label = 0; k < l->count; k++) {
        int32_t chance, s;
        if (k == l->background) {
            continue;
        }
        label++;
        if (l->score_fn == FN_SOFTMAX) {
            const uint32_t e = (uint32_t)times_exp(16384, value_at(arena, &l->score, cell, anchor, k) - largest);
            chance = (int32_t)((e * 32768u + (sum >> 1)) / sum);
        } else {
            int32_t v;
            if (code_at(arena, &l->score, cell, anchor, k) <
                l->least_score[anchor * l->least_per_anchor + k * l->least_per_field]) {
                continue;
            }
            v = value_at(arena, &l->score, cell, anchor, k);
            chance = l->score_fn == FN_SIGMOID ? sigmoid(v) : chance_of(v);
        }
        s = combine(l, object, chance);
        if (s < LEAST_SCORE || (l->peaks && !is_peak(arena, l, cell, anchor, k))) {
            continue;
        }
        if (!BEST_CLASS) {
            box_of(arena, l, cell, anchor, &c);
            c.score = (uint16_t)s;
            c.label = (uint16_t)(label - 1);
            offer(heap, count, &c);
        } else if (s > best_score) {
            best_score = s;
            best = label - 1;
        }
    }
    if (best >= 0) {
        box_of(arena, l, cell, anchor, &c);
        c.score = (uint16_t)best_score;
        c.label = (uint16_t)best;
        offer(heap, count, &c);
    }
}

/* shared * (1 + iou) > iou * (sum of areas): no division. */
static int overlaps(const candidate *a, const candidate *b)
{
    const int32_t w = (a->x2 < b->x2 ? a->x2 : b->x2) - (a->x1 > b->x1 ? a->x1 : b->x1);
    const int32_t h = (a->y2 < b->y2 ? a->y2 : b->y2) - (a->y1 > b->y1 ? a->y1 : b->y1);
    uint64_t areas;
    if (w <= 0 || h <= 0) {
        return 0;
    }
    areas = (uint64_t)((uint32_t)(a->x2 - a->x1) * (uint32_t)(a->y2 - a->y1)) +
            (uint32_t)(b->x2 - b->x1) * (uint32_t)(b->y2 - b->y1);
    return (uint64_t)((uint32_t)w * (uint32_t)h) * (32768u + MOST_OVERLAP) > areas * MOST_OVERLAP;
}

static int32_t suppress(candidate *sorted, int32_t count, int32_t most)
{
    int32_t kept = 0;
    int32_t i, j;
    for (i = 0; i < count && kept < most; i++) {
        int lost = 0;
        for (j = 0; SUPPRESS != SUPPRESS_NONE && j < kept && !lost; j++) {
            lost = (SUPPRESS == SUPPRESS_ALL || sorted[j].label == sorted[i].label) && overlaps(&sorted[j], &sorted[i]);
        }
        if (!lost) {
            sorted[kept++] = sorted[i];
        }
    }
    return kept;
}

static int16_t on_image(int32_t v, int32_t first, int32_t scale, int32_t size)
{
    const int64_t t = ((int64_t)(v - first) * scale + 32768) >> 16;
    return (int16_t)(t < 0 ? 0 : t > size ? size : t);
}
