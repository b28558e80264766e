/*
 * QuantMCU runtime: 2-D convolution with the DSP extension: by blocks of four pixels where the layer allows it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_conv2d_dsp_any.h"
#include "qmcu_conv2d_dsp_blocks.h"

#if QMCU_DSP

QMCU_KERNEL void qmcu_conv2d(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out)
{
    const int done = QMCU_CONV2D_BLOCKS != 0u && qmcu_convolve_blocks(params, in, out);
    if (QMCU_CONV2D_ANY && !done) {
        qmcu_convolve_any(params, in, out);
    }
}

#endif /* QMCU_DSP */
