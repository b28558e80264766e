/*
 * QuantMCU runtime: how many rows of a depthwise convolution may be computed channel after channel where its output
 * lies over its input.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_depthwise2d_dsp.h"

#if QMCU_DSP

/* Whether every pixel, in every row, is at a multiple of its bytes from the first one. */
static int in_step(const qmcu_map *map)
{
    return map->row_bytes % map->pixel_bytes == 0;
}

/* Bytes from one map to the other, modulo those of a pixel; -1 where a channel's place in a pixel of one map cannot be
 * the same as in the other. */
static int32_t out_of_step(const qmcu_map *in, const qmcu_map *out)
{
    const ptrdiff_t distance = in->data > out->data ? in->data - out->data : out->data - in->data;
    return in->pixel_bytes == out->pixel_bytes && qmcu_bits(in->format) == qmcu_bits(out->format) && in_step(in) &&
                   in_step(out)
               ? (int32_t)(distance % in->pixel_bytes)
               : -1;
}

static int share_memory(const qmcu_map *in, const qmcu_map *out)
{
    const uint8_t *in_end = qmcu_at(in, in->h - 1, in->w, 0);
    const uint8_t *out_end = qmcu_at(out, out->h - 1, out->w, 0);
    return in_end > out->data && out_end > in->data;
}

/*
 * Whether channels may be computed one after the other: what is written for one must not be an input of another. That
 * is so where the maps share no memory, or where channels have the same place in every pixel of both.
 */
static int channels_are_apart(const qmcu_map *in, const qmcu_map *out)
{
    return !share_memory(in, out) || out_of_step(in, out) == 0;
}

int32_t qmcu_rows_aside(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const int32_t aside = out_of_step(in, out);
    if (aside <= 0 || !share_memory(in, out) || out->data > in->data || out->h < 2 || params->window.stride_h != 1 ||
        out->row_bytes > in->row_bytes) {
        return 0;
    }
    /* Nothing of another map may lie between its codes, and rows are to end before the input that the next ones begin
     * with. */
    const int32_t row_bytes = out->w * (int32_t)((uint32_t)out->channels * qmcu_bits(out->format) / 8u);
    return out->row_bytes == row_bytes && in->data - out->data - aside >= params->window.pad_top * in->row_bytes ? aside
                                                                                                                 : 0;
}

/*
 * Output rows from oy on that may be computed channel after channel where the maps share memory: those that end before
 * the input that their windows begin with. One row always may, because what it overwrites is no longer read.
 */
static int32_t rows_apart(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out, int32_t oy)
{
    const int32_t y = oy * params->window.stride_h - params->window.pad_top;
    const uint8_t *read = qmcu_at(in, y < 0 ? 0 : y < in->h ? y : in->h, 0, 0);
    const uint8_t *written = qmcu_at(out, oy, 0, 0);
    const int32_t rows = written < read ? (int32_t)((read - written) / out->row_bytes) : 1;
    return rows < 1 ? 1 : qmcu_min(rows, out->h - oy);
}

int32_t qmcu_rows_together(const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out, int32_t oy)
{
    return channels_are_apart(in, out) ? out->h - oy : rows_apart(params, in, out, oy);
}

#endif /* QMCU_DSP */
