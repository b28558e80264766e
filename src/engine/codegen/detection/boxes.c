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
