/*
 * QuantMCU runtime: codes of two channels of a depthwise convolution's input, flushed of the pixels' bytes or
 * halfwords that hold both.
 *
 * SPDX-License-Identifier: MIT
 */
/* GCC's scheduling before it allocates registers moves loads up, away from their uses, and then lacks registers for the
 * sums. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include "qmcu_depthwise2d_dsp_gather.h"

#if QMCU_DSP

#define FOUR 4

/* How many rows to take, and how far pixels are apart. */
typedef struct {
    int32_t rows;
    int32_t next;       /* from pixel to pixel */
    int32_t next_three; /* over three of them */
    int32_t next_row;
    int32_t group;
    uint32_t flip;  /* of all bits of a word of two pixels' pairs */
    uint32_t place; /* of the first channel's 2-bit codes in their bytes */
} area;

/* The codes of both channels of a pixel. */
QMCU_INLINE uint32_t gather_load_pair(uint32_t bits, const uint8_t *p)
{
    return bits == 8u ? qmcu_load_half(p) : (uint32_t)*p;
}

/* Codes of the first channel, or the second, of two pixels whose pairs are in the halves of a word. */
QMCU_INLINE uint32_t gather_channel_of(uint32_t bits, uint32_t second, uint32_t word)
{
    if (bits == 8u) {
        return second ? qmcu_uxtb16_ror8(word) : qmcu_uxtb16(word);
    }
    if (bits == 2u) {
        return (second ? word >> 2 : word) & 0x00030003u;
    }
    return (second ? word >> 4 : word) & 0x000f000fu;
}

/* The pairs of two pixels. */
QMCU_INLINE uint32_t load_pairs(uint32_t bits, int flips, const area *a, const uint8_t *p, const uint8_t *q)
{
    const uint32_t pairs = gather_load_pair(bits, p) | gather_load_pair(bits, q) << 16;
    const uint32_t word = bits == 2u ? pairs >> a->place : pairs;
    return flips ? word ^ a->flip : word;
}

QMCU_INLINE void put_four(uint32_t bits, int flips, const area *a, const uint8_t *p, uint8_t *to)
{
    const uint32_t first = load_pairs(bits, flips, a, p, p + a->next);
    const uint32_t second = load_pairs(bits, flips, a, p + 2 * a->next, p + a->next_three);
    qmcu_store_two(to, 0u, gather_channel_of(bits, 0u, first), gather_channel_of(bits, 0u, second));
    qmcu_store_two(to, QMCU_ROW_BYTES / 2, gather_channel_of(bits, 1u, first), gather_channel_of(bits, 1u, second));
}

/* All fours of columns of all rows, two gather_at a time. The longer way is the inner loop. */
QMCU_INLINE void put_fours(uint32_t bits, int flips, const area *a, int32_t columns, const uint8_t *p, uint8_t *to)
{
    const int32_t next_four = FOUR * a->next;
    const int downward = a->rows > columns;
    const int32_t inner = downward ? a->rows : columns;
    const int32_t inner_next = downward ? a->next_row : next_four;
    const int32_t inner_to = downward ? QMCU_ROW_BYTES : a->group;
    const int32_t outer_next = downward ? next_four : a->next_row;
    const int32_t outer_to = downward ? a->group : QMCU_ROW_BYTES;
    for (int32_t outer = downward ? columns : a->rows; outer > 0; outer--) {
        const uint8_t *from = p;
        uint8_t *gather_at = to;
        if (inner % 2 != 0) {
            put_four(bits, flips, a, from, gather_at);
            from += inner_next;
            gather_at += inner_to;
        }
        for (int32_t n = inner / 2; n > 0; n--) {
            put_four(bits, flips, a, from, gather_at);
            from += inner_next;
            gather_at += inner_to;
            QMCU_OPAQUE(from);
            QMCU_OPAQUE(gather_at);
            put_four(bits, flips, a, from, gather_at);
            from += inner_next;
            gather_at += inner_to;
            QMCU_OPAQUE(from);
        }
        p += outer_next;
        to += outer_to;
    }
}

/* Two columns of all rows. */
QMCU_INLINE void put_twos(uint32_t bits, int flips, const area *a, const uint8_t *p, uint8_t *to)
{
    for (int32_t rows = a->rows; rows > 0; rows--) {
        const uint32_t word = load_pairs(bits, flips, a, p, p + a->next);
        qmcu_store(to, gather_channel_of(bits, 0u, word));
        qmcu_store(to + QMCU_ROW_BYTES / 2, gather_channel_of(bits, 1u, word));
        p += a->next_row;
        to += QMCU_ROW_BYTES;
    }
}

QMCU_INLINE void store_half(uint8_t *to, uint32_t half)
{
    *(qmcu_half *)to = (uint16_t)half;
}

/* One pixel's codes. */
QMCU_INLINE void put_one(uint32_t bits, int flips, const area *a, const uint8_t *p, uint8_t *to)
{
    const uint32_t both = gather_load_pair(bits, p);
    const uint32_t pair = bits == 2u ? both >> a->place : both;
    const uint32_t word = flips ? pair ^ a->flip : pair;
    store_half(to, gather_channel_of(bits, 0u, word));
    store_half(to + QMCU_ROW_BYTES / 2, gather_channel_of(bits, 1u, word));
}

/* One column of all rows. */
QMCU_INLINE void put_ones(uint32_t bits, int flips, const area *a, const uint8_t *p, uint8_t *to)
{
    for (int32_t rows = a->rows; rows > 0; rows--) {
        put_one(bits, flips, a, p, to);
        p += a->next_row;
        to += QMCU_ROW_BYTES;
    }
}

/* A part of all rows, which ends with its group or begins with one: by twos where a word has room for both. p and to
 * are where those rows begin. */
QMCU_INLINE void put_part(uint32_t bits, int flips, const area *a, const qmcu_planes_part *part, const uint8_t *p,
                          uint8_t *to)
{
    int32_t columns = part->columns;
    int32_t place = part->place;
    p += part->from;
    to += part->to;
    while (columns > 0) {
        if (columns >= 2 && place % 2 == 0) {
            put_twos(bits, flips, a, p, to);
            p += a->next;
            to += 2;
            place++;
            columns--;
        } else {
            put_ones(bits, flips, a, p, to);
        }
        p += a->next;
        to += 2;
        place++;
        columns--;
    }
}

/* Columns of the input to `first` and after it; p is the first one's first row. Inlined with constant bits. */
QMCU_INLINE void put_columns(uint32_t bits, int flips, const qmcu_planes *planes, int32_t c, const uint8_t *p,
                             int32_t rows, uint8_t *to)
{
    area a;
    a.rows = rows;
    a.next = planes->in->pixel_bytes;
    a.next_three = 3 * a.next;
    QMCU_OPAQUE(a.next_three); /* a register for it saves an addition for every three pixels */
    a.next_row = planes->in->row_bytes;
    a.group = planes->group;
    a.flip = planes->flips;
    a.place = 2u * ((uint32_t)c & 3u);
    for (uint32_t part = 0u; part < 2u; part++) {
        put_part(bits, flips, &a, part == 0u ? &planes->head : &planes->tail, p, to);
    }
    put_fours(bits, flips, &a, planes->fours.columns, p + planes->fours.from, to + planes->fours.to);
}

/* So many columns from the one after `skipped` of the input's columns under windows. */
static QMCU_SMALL qmcu_planes_part part_of(const qmcu_planes *planes, int32_t skipped, int32_t columns)
{
    const int32_t column = planes->first + skipped;
    const qmcu_planes_part part = {columns, column % FOUR, skipped * planes->in->pixel_bytes,
                                   column / FOUR * planes->group + column % FOUR * 2};
    return part;
}

QMCU_SMALL void qmcu_planes_divide(qmcu_planes *planes)
{
    const int32_t head = qmcu_min((int32_t)(0u - (uint32_t)planes->first) & (FOUR - 1), planes->pixels);
    const int32_t fours = (planes->pixels - head) / FOUR;
    static const uint32_t both[3] = {0x00050005u, 0x00110011u, 0x01010101u};
    planes->flips = planes->flip * both[planes->in->format / 2u];
    planes->head = part_of(planes, 0, head);
    planes->tail = part_of(planes, head + FOUR * fours, (planes->pixels - head) % FOUR);
    planes->fours = part_of(planes, head, fours);
}

/* Where a column is in the first row. */
QMCU_INLINE uint8_t *gather_at(const qmcu_planes *planes, int32_t column, uint8_t *to)
{
    return to + (column / FOUR * planes->group + column % FOUR * 2);
}

/* Padding in columns [from, end) of some rows. */
static QMCU_SMALL void put_padding(const qmcu_planes *planes, int32_t from, int32_t end, int32_t rows,
                                   qmcu_planes_padding padding, uint8_t *to)
{
    for (int32_t column = from; column < end; column++) {
        uint8_t *p = gather_at(planes, column, to);
        for (int32_t n = rows; n > 0; n--) {
            store_half(p, padding);
            store_half(p + QMCU_ROW_BYTES / 2, padding >> 16);
            p += QMCU_ROW_BYTES;
        }
    }
}

QMCU_SMALL void qmcu_planes_put_sides(const qmcu_planes *planes, int32_t rows, qmcu_planes_padding padding, uint8_t *to)
{
    put_padding(planes, planes->before, planes->first, rows, padding, to);
    put_padding(planes, planes->first + planes->pixels, planes->end, rows, padding, to);
}

/* Padding in some whole rows, the rest of their groups included. */
static QMCU_SMALL void put_rows_outside(const qmcu_planes *planes, int32_t rows, qmcu_planes_padding padding,
                                        uint8_t *to)
{
    const uint32_t first = qmcu_pkh_low(padding, padding);
    const uint32_t second = qmcu_pkh_high(padding, padding);
    for (; rows > 0; rows--) {
        uint8_t *p = to;
        for (int32_t column = 0; column < planes->end; column += FOUR) {
            qmcu_store_two(p, 0u, first, first);
            qmcu_store_two(p, QMCU_ROW_BYTES / 2, second, second);
            p += planes->group;
        }
        to += QMCU_ROW_BYTES;
    }
}

/* How many of rows [y, y + rows) are above the input, and how many in it. */
QMCU_INLINE int32_t rows_above(int32_t y, int32_t rows)
{
    return y < 0 ? qmcu_min(-y, rows) : 0;
}

QMCU_INLINE int32_t rows_inside(const qmcu_planes *planes, int32_t y, int32_t rows)
{
    const int32_t inside = qmcu_min(planes->in->h - y, rows) - rows_above(y, rows);
    return planes->pixels > 0 && inside > 0 ? inside : 0;
}

QMCU_SMALL void qmcu_planes_put_outside(const qmcu_planes *planes, int32_t y, int32_t rows, qmcu_planes_padding padding,
                                        uint8_t *to)
{
    const int32_t above = rows_above(y, rows);
    const int32_t after = above + rows_inside(planes, y, rows);
    put_rows_outside(planes, above, padding, to);
    put_rows_outside(planes, rows - after, padding, to + QMCU_ROW_BYTES * after);
}

void qmcu_planes_put(const qmcu_planes *planes, int32_t c, int32_t y, int32_t rows, qmcu_planes_padding padding,
                     uint8_t *to)
{
    const qmcu_map *in = planes->in;
    const int32_t above = rows_above(y, rows);
    const int32_t inside = rows_inside(planes, y, rows);
    if (inside < rows && planes->bordered == 0u) {
        qmcu_planes_put_outside(planes, y, rows, padding, to);
    }
    if (inside == 0) {
        return;
    }
    const uint8_t *p = qmcu_at(in, y + above, planes->x, c);
    to += QMCU_ROW_BYTES * above;
    QMCU_ASSUME_FORMAT(QMCU_DEPTHWISE2D_INPUTS, in->format);
    if (in->format == QMCU_U8) {
        put_columns(8u, 0, planes, c, p, inside, to);
    } else if (in->format == QMCU_S8) {
        put_columns(8u, 1, planes, c, p, inside, to);
    } else if (in->format >= QMCU_U4) {
        put_columns(4u, 1, planes, c, p, inside, to);
    } else {
        put_columns(2u, 1, planes, c, p, inside, to);
    }
}

void qmcu_planes_move(const qmcu_planes *planes, int32_t from, int32_t rows, uint8_t *to)
{
    for (int32_t column = 0; column < planes->end; column += FOUR) {
        uint8_t *p = to;
        for (int32_t n = rows; n > 0; n--) {
            const qmcu_words first = qmcu_load_two(p + QMCU_ROW_BYTES * from, 0u);
            const qmcu_words second = qmcu_load_two(p + QMCU_ROW_BYTES * from, QMCU_ROW_BYTES / 2);
            qmcu_store_two(p, 0u, first.first, first.second);
            qmcu_store_two(p, QMCU_ROW_BYTES / 2, second.first, second.second);
            p += QMCU_ROW_BYTES;
        }
        to += planes->group;
    }
}

#endif /* QMCU_DSP */
