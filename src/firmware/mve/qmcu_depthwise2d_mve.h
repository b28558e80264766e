/*
 * QuantMCU runtime: what files of the depthwise convolution for the vector extension Helium share. Not part of the
 * interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_MVE_H
#define QMCU_DEPTHWISE2D_MVE_H

#include "qmcu_mve.h"

#if QMCU_MVE

/* What every pixel of one call needs. */
typedef struct {
    const qmcu_depthwise2d_params *p;
    const qmcu_map *in;
    const qmcu_map *out;
    qmcu_mve_scale scale;
    uint32_t row_bytes; /* of the weights of one tap */
} qmcu_mve_depthwise;

/* Weights of tap `tap`, from channel c on. */
QMCU_INLINE const uint8_t *qmcu_mve_depthwise_weights(const qmcu_mve_depthwise *d, int32_t c, int32_t tap)
{
    const uint8_t *weights = d->p->weights;
    return weights + (uint32_t)tap * d->row_bytes + (uint32_t)c * d->p->weight_bits / 8u;
}

#if defined(__GNUC__) || defined(__clang__)
#define QMCU_SIXTEEN 1

/* Whether sixteen channels can be computed together, wherever they begin. */
int qmcu_mve_takes_sixteens(const qmcu_mve_depthwise *d);

/* Sixteen channels from c on of output row oy, whose window begins at row y; 0 where sums may not fit in 16 bits. */
int qmcu_mve_depthwise_sixteen(const qmcu_mve_depthwise *d, int32_t c, int32_t oy, int32_t y);
#endif

#endif /* QMCU_MVE */

#endif /* QMCU_DEPTHWISE2D_MVE_H */
