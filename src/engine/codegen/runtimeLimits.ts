/**
 * What kernels may unpack on the stack (quantmcu_port.h, QMCU_COLUMN_BYTES), and what four columns of a row of two
 * channels take there (qmcu_depthwise2d_dsp_channels.h).
 */
export const COLUMN_BYTES = 2048;
export const ROW_BYTES = 16;
/** Largest shift with which a code can be saturated as the kernels do it. */
export const LARGEST_SHIFT = 22;
