/*
 * QuantMCU runtime: fully connected layer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_dot.h"

QMCU_KERNEL void qmcu_fully_connected(const qmcu_fully_connected_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const uint32_t row_bytes = qmcu_weight_row_bytes((uint32_t)(in->h * in->w * in->channels), params->weight_bits);
    const int dense = qmcu_is_dense(in);
    const int32_t columns = dense ? 1 : in->w;
    const uint32_t run = (uint32_t)(dense ? in->w * in->channels : in->channels);
    qmcu_dot4_run *const add_run = qmcu_dot4_run_of(in->format, params->weight_bits);
    qmcu_writer writer = qmcu_write_pixel(out->data, out->format);

    for (int32_t o = 0; o < out->channels; o += 4) {
        qmcu_dot4 dot = qmcu_dot4_rows(params->weights, row_bytes, o, out->channels);
        uint32_t w = 0u;
        for (int32_t y = 0; y < in->h; y++) {
            for (int32_t x = 0; x < columns; x++) {
                add_run(&dot, qmcu_at(in, y, x, 0), 0u, w, run);
                w += run;
            }
        }
        qmcu_dot4_write(&dot, &params->requant, o, out->channels, &writer);
    }
    qmcu_write_end(&writer);
}
