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
