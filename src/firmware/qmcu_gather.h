/*
 * QuantMCU runtime: the codes under the windows of four output pixels as columns (qmcu_columns.h). Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_GATHER_H
#define QMCU_GATHER_H

#include "qmcu_dsp.h"

#if QMCU_DSP

/* What is the same for all windows of a call. */
typedef struct {
    const qmcu_conv2d_params *params;
    const qmcu_map *in;
    const qmcu_map *out;
    uint32_t length;     /* codes of a column */
    uint32_t row_codes;  /* of a window */
    int even;            /* each row is one run of codes and begins at an even place of the column */
    int odd;             /* each row is one run of 8-bit codes, few enough to be put together first */
    const uint8_t *in_end;
} qmcu_gathering;

/* `parts`: columns come in parts. */
qmcu_gathering qmcu_gathering_of(const qmcu_conv2d_params *params, const qmcu_map *in, const qmcu_map *out, uint32_t length, int parts);

/*
 * Codes [from, to) of the columns of the four pixels from (oy, ox) on; `from` is a multiple of 4. The pixels' words of two codes stand side by
 * side; where the number of codes is odd a zero follows.
 */
void qmcu_convolve_gather(const qmcu_gathering *g, int32_t oy, int32_t ox, uint32_t from, uint32_t to, int16_t *columns);

/* Whether two maps share no memory. */
int qmcu_are_apart(const qmcu_map *a, const qmcu_map *b);

#endif

#endif /* QMCU_GATHER_H */
