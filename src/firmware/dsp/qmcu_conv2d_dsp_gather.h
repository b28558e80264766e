/*
 * QuantMCU runtime: the codes under the windows of four output pixels as columns (qmcu_conv2d_dsp_columns.h). Not part
 * of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_GATHER_H
#define QMCU_CONV2D_DSP_GATHER_H

#include "qmcu_dsp.h"

#if QMCU_DSP

/* What is the same for all windows of a call. */
typedef struct {
    const qmcu_conv2d_params *params;
    const qmcu_map *in;
    const qmcu_map *out;
    uint32_t length;    /* codes of a column */
    uint32_t row_codes; /* of a window */
    int even;           /* each row is one run of codes and begins at an even place of the column */
    int odd;            /* each row is one run of 8-bit codes, few enough to be put together first */
    const uint8_t *in_end;
} qmcu_gathering;

/* `parts`: columns come in parts. */
qmcu_gathering qmcu_gathering_of(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out,
                                 uint32_t length, int parts);

/*
 * Codes [from, to) of the columns of the four pixels from (oy, ox) on; `from` is a multiple of 4. The pixels' words of
 * two codes stand side by side; where the number of codes is odd a zero follows.
 */
void qmcu_convolve_gather(const qmcu_gathering *g, int32_t oy, int32_t ox, uint32_t from, uint32_t to,
                          int16_t *columns);

/* n codes of two pixels beside each other in a block, from the first code of bytes p and q on, to an even place of
 * their columns. */
void qmcu_expand_two(const uint8_t *p, const uint8_t *q, uint32_t format, uint32_t n, int16_t *column);

/* Longest column of windows with an odd number of codes in a row that goes by blocks. */
#define QMCU_GATHER_ODD_CODES 64u

/* In qmcu_conv2d_dsp_gather_odd.c, where g->odd: the columns of four pixels whose windows begin at `from` and lie
 * inside the input. */
void qmcu_gather_odd(const qmcu_gathering *g, const uint8_t *const *from, int16_t *columns);

/* The same for windows that are not all inside, where the code of padding is 0; the first is that of output pixel i. */
void qmcu_gather_odd_clipped(const qmcu_gathering *g, int32_t i, int16_t *columns);

/* Where code `from` of the first tap lies in the windows of the four pixels from (oy, ox) on. Returns 0 where not all
 * of them lie inside the input. */
int qmcu_find_pixels(const qmcu_gathering *g, int32_t oy, int32_t ox, uint32_t from, const uint8_t *at[4]);

/* Whether two maps share no memory. */
int qmcu_are_apart(const qmcu_map *a, const qmcu_map *b);

/* Computes the four pixels from (oy, ox) on; `call` is the caller's. */
typedef void qmcu_four_pixels(const void *call, int parts, int32_t oy, int32_t ox);

/* Computes the last n < 4 pixels of a row, from (oy, ox) on. */
typedef void qmcu_last_pixels(const void *call, int parts, int32_t oy, int32_t ox, int32_t n);

/* Walks over all output pixels, four at a time. */
QMCU_INLINE void qmcu_each_four(const void *call, int parts, const qmcu_map *in, const qmcu_map *out,
                                qmcu_four_pixels *four, qmcu_last_pixels *last)
{
    /* Blocks may reach into the next row, except for those that read the input again after they have begun to write. */
    const int one_row = out->row_bytes == out->w * out->pixel_bytes && (!parts || qmcu_are_apart(in, out));
    const int32_t rows = one_row ? 1 : out->h;
    const int32_t pixels = one_row ? out->h * out->w : out->w;
    for (int32_t row = 0; row < rows; row++) {
        int32_t oy = row;
        int32_t ox = 0;
        int32_t rest = pixels;
        for (; rest >= 4; rest -= 4) {
            four(call, parts, oy, ox);
            for (ox += 4; ox >= out->w; ox -= out->w) {
                oy++;
            }
        }
        if (rest > 0) {
            last(call, parts, oy, ox, rest);
        }
    }
}

#endif

#endif /* QMCU_CONV2D_DSP_GATHER_H */
