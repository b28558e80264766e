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
