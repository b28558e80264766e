/*
 * QuantMCU runtime: depthwise convolutions of 4-bit codes by polynomials (qmcu_poly.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_POLYS_H
#define QMCU_POLYS_H

#include "qmcu_poly.h"

#if QMCU_DSP

/*
 * For layers with 3 x 3 kernels, stride 1, 4-bit inputs without padding codes and an even number of channels, whose weights qmcu_poly.h may take; `shape`
 * is the constant of `function`. Returns 0 where these maps do not fit the stack.
 */
int qmcu_depthwise_by_polynomials(const qmcu_row_shape *shape, qmcu_poly_function *function, const qmcu_depthwise2d_params *params, const qmcu_map *in, const qmcu_map *out);

#endif

#endif /* QMCU_POLYS_H */
