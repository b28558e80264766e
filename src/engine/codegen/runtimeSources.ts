import cameraHeader from '../../firmware/common/qmcu_camera.h';
import cameraBgr888 from '../../firmware/common/qmcu_camera_bgr888.c';
import cameraGray from '../../firmware/common/qmcu_camera_gray.c';
import cameraRgb565 from '../../firmware/common/qmcu_camera_rgb565.c';
import cameraScaleHeader from '../../firmware/common/qmcu_camera_scale.h';
import cameraYuv422 from '../../firmware/common/qmcu_camera_yuv422.c';
import codes from '../../firmware/common/qmcu_codes.c';
import coreHeader from '../../firmware/common/qmcu_core.h';
import depthwise2d from '../../firmware/common/qmcu_depthwise2d.c';
import depthwise2dTapHeader from '../../firmware/common/qmcu_depthwise2d_tap.h';
import depthwise2dTaps from '../../firmware/common/qmcu_depthwise2d_taps.c';
import depthwise2dTapsHeader from '../../firmware/common/qmcu_depthwise2d_taps.h';
import add from '../../firmware/common/qmcu_add.c';
import elementwise from '../../firmware/common/qmcu_elementwise.c';
import internalHeader from '../../firmware/common/qmcu_internal.h';
import layerKernelsHeader from '../../firmware/common/qmcu_layer_kernels.h';
import normalize from '../../firmware/common/qmcu_normalize.c';
import pool from '../../firmware/common/qmcu_pool.c';
import requantizeHeader from '../../firmware/common/qmcu_requantize.h';
import s16Depthwise2d from '../../firmware/common/qmcu_s16_depthwise2d.c';
import s16Elementwise from '../../firmware/common/qmcu_s16_elementwise.c';
import s16Header from '../../firmware/common/qmcu_s16.h';
import s16Pool from '../../firmware/common/qmcu_s16_pool.c';
import s16Weighted from '../../firmware/common/qmcu_s16_weighted.c';
import softmax from '../../firmware/common/qmcu_softmax.c';
import quantmcuHeader from '../../firmware/common/quantmcu.h';
import quantmcuPortHeader from '../../firmware/common/quantmcu_port.h';
import conv2dDsp from '../../firmware/dsp/qmcu_conv2d_dsp.c';
import conv2dDspAny from '../../firmware/dsp/qmcu_conv2d_dsp_any.c';
import conv2dDspAnyHeader from '../../firmware/dsp/qmcu_conv2d_dsp_any.h';
import conv2dDspBlockHeader from '../../firmware/dsp/qmcu_conv2d_dsp_block.h';
import conv2dDspBlockSumsHeader from '../../firmware/dsp/qmcu_conv2d_dsp_block_sums.h';
import conv2dDspBlocks from '../../firmware/dsp/qmcu_conv2d_dsp_blocks.c';
import conv2dDspBlocksHeader from '../../firmware/dsp/qmcu_conv2d_dsp_blocks.h';
import conv2dDspColumns from '../../firmware/dsp/qmcu_conv2d_dsp_columns.c';
import conv2dDspColumnsHeader from '../../firmware/dsp/qmcu_conv2d_dsp_columns.h';
import conv2dDspDotHeader from '../../firmware/dsp/qmcu_conv2d_dsp_dot.h';
import conv2dDspGather from '../../firmware/dsp/qmcu_conv2d_dsp_gather.c';
import conv2dDspGatherHeader from '../../firmware/dsp/qmcu_conv2d_dsp_gather.h';
import conv2dDspGatherOdd from '../../firmware/dsp/qmcu_conv2d_dsp_gather_odd.c';
import conv2dDspPackedHeader from '../../firmware/dsp/qmcu_conv2d_dsp_packed.h';
import conv2dDspPackedBlockHeader from '../../firmware/dsp/qmcu_conv2d_dsp_packed_block.h';
import conv2dDspPackedBlocks from '../../firmware/dsp/qmcu_conv2d_dsp_packed_blocks.c';
import conv2dDspPackedBlocksHeader from '../../firmware/dsp/qmcu_conv2d_dsp_packed_blocks.h';
import conv2dDspPackedColumns from '../../firmware/dsp/qmcu_conv2d_dsp_packed_columns.c';
import conv2dDspPackedColumnsHeader from '../../firmware/dsp/qmcu_conv2d_dsp_packed_columns.h';
import conv2dDspPackedFlushHeader from '../../firmware/dsp/qmcu_conv2d_dsp_packed_flush.h';
import depthwise2dDsp from '../../firmware/dsp/qmcu_depthwise2d_dsp.c';
import depthwise2dDspHeader from '../../firmware/dsp/qmcu_depthwise2d_dsp.h';
import depthwise2dDspChannelsHeader from '../../firmware/dsp/qmcu_depthwise2d_dsp_channels.h';
import depthwise2dDspGather from '../../firmware/dsp/qmcu_depthwise2d_dsp_gather.c';
import depthwise2dDspGatherHeader from '../../firmware/dsp/qmcu_depthwise2d_dsp_gather.h';
import depthwise2dDspOverlap from '../../firmware/dsp/qmcu_depthwise2d_dsp_overlap.c';
import depthwise2dDspPolynomialHeader from '../../firmware/dsp/qmcu_depthwise2d_dsp_polynomial.h';
import depthwise2dDspWeights from '../../firmware/dsp/qmcu_depthwise2d_dsp_weights.c';
import dspHeader from '../../firmware/dsp/qmcu_dsp.h';
import dspEmulatedHeader from '../../firmware/dsp/qmcu_dsp_emulated.h';
import fullyConnectedDspTwins from '../../firmware/dsp/qmcu_fully_connected_dsp_twins.c';
import codesMve from '../../firmware/mve/qmcu_codes_mve.c';
import conv2dMve from '../../firmware/mve/qmcu_conv2d_mve.c';
import conv2dMveBlockHeader from '../../firmware/mve/qmcu_conv2d_mve_block.h';
import conv2dMveColumns from '../../firmware/mve/qmcu_conv2d_mve_columns.c';
import conv2dMveColumnsHeader from '../../firmware/mve/qmcu_conv2d_mve_columns.h';
import conv2dMveDotHeader from '../../firmware/mve/qmcu_conv2d_mve_dot.h';
import depthwise2dMve from '../../firmware/mve/qmcu_depthwise2d_mve.c';
import depthwise2dMveHeader from '../../firmware/mve/qmcu_depthwise2d_mve.h';
import depthwise2dMveSixteen from '../../firmware/mve/qmcu_depthwise2d_mve_sixteen.c';
import depthwise2dMveSixteenHeader from '../../firmware/mve/qmcu_depthwise2d_mve_sixteen.h';
import mveHeader from '../../firmware/mve/qmcu_mve.h';
import conv2dPlain from '../../firmware/plain/qmcu_conv2d_plain.c';
import conv2dPlainArmv6mHeader from '../../firmware/plain/qmcu_conv2d_plain_armv6m.h';
import conv2dPlainColumns from '../../firmware/plain/qmcu_conv2d_plain_columns.c';
import conv2dPlainColumnsHeader from '../../firmware/plain/qmcu_conv2d_plain_columns.h';
import conv2dPlainDotHeader from '../../firmware/plain/qmcu_conv2d_plain_dot.h';
import conv2dPlainEightsHeader from '../../firmware/plain/qmcu_conv2d_plain_eights.h';
import conv2dPlainEightsArmv6mHeader from '../../firmware/plain/qmcu_conv2d_plain_eights_armv6m.h';
import conv2dPlainWrite from '../../firmware/plain/qmcu_conv2d_plain_write.c';
import conv2dPlainWriteHeader from '../../firmware/plain/qmcu_conv2d_plain_write.h';
import conv2dPlainWriteArmv6mHeader from '../../firmware/plain/qmcu_conv2d_plain_write_armv6m.h';
import plainHeader from '../../firmware/plain/qmcu_plain.h';

/** Where a file of the runtime belongs: to all cores, or to those of one kind. */
export type RuntimeFolder = 'common' | 'dsp' | 'mve' | 'plain';

/** All files of `src/firmware/`, bundled as text, by their names, which are unlike in all folders. */
export const runtimeSources: Readonly<Record<string, { readonly folder: RuntimeFolder; readonly text: string }>> = {
  'qmcu_add.c': { folder: 'common', text: add },
  'qmcu_camera.h': { folder: 'common', text: cameraHeader },
  'qmcu_camera_bgr888.c': { folder: 'common', text: cameraBgr888 },
  'qmcu_camera_gray.c': { folder: 'common', text: cameraGray },
  'qmcu_camera_rgb565.c': { folder: 'common', text: cameraRgb565 },
  'qmcu_camera_scale.h': { folder: 'common', text: cameraScaleHeader },
  'qmcu_camera_yuv422.c': { folder: 'common', text: cameraYuv422 },
  'qmcu_codes.c': { folder: 'common', text: codes },
  'qmcu_core.h': { folder: 'common', text: coreHeader },
  'qmcu_depthwise2d.c': { folder: 'common', text: depthwise2d },
  'qmcu_depthwise2d_tap.h': { folder: 'common', text: depthwise2dTapHeader },
  'qmcu_depthwise2d_taps.c': { folder: 'common', text: depthwise2dTaps },
  'qmcu_depthwise2d_taps.h': { folder: 'common', text: depthwise2dTapsHeader },
  'qmcu_elementwise.c': { folder: 'common', text: elementwise },
  'qmcu_internal.h': { folder: 'common', text: internalHeader },
  'qmcu_layer_kernels.h': { folder: 'common', text: layerKernelsHeader },
  'qmcu_normalize.c': { folder: 'common', text: normalize },
  'qmcu_pool.c': { folder: 'common', text: pool },
  'qmcu_requantize.h': { folder: 'common', text: requantizeHeader },
  'qmcu_s16.h': { folder: 'common', text: s16Header },
  'qmcu_s16_depthwise2d.c': { folder: 'common', text: s16Depthwise2d },
  'qmcu_s16_elementwise.c': { folder: 'common', text: s16Elementwise },
  'qmcu_s16_pool.c': { folder: 'common', text: s16Pool },
  'qmcu_s16_weighted.c': { folder: 'common', text: s16Weighted },
  'qmcu_softmax.c': { folder: 'common', text: softmax },
  'quantmcu.h': { folder: 'common', text: quantmcuHeader },
  'quantmcu_port.h': { folder: 'common', text: quantmcuPortHeader },
  'qmcu_conv2d_dsp.c': { folder: 'dsp', text: conv2dDsp },
  'qmcu_conv2d_dsp_any.c': { folder: 'dsp', text: conv2dDspAny },
  'qmcu_conv2d_dsp_any.h': { folder: 'dsp', text: conv2dDspAnyHeader },
  'qmcu_conv2d_dsp_block.h': { folder: 'dsp', text: conv2dDspBlockHeader },
  'qmcu_conv2d_dsp_block_sums.h': { folder: 'dsp', text: conv2dDspBlockSumsHeader },
  'qmcu_conv2d_dsp_blocks.c': { folder: 'dsp', text: conv2dDspBlocks },
  'qmcu_conv2d_dsp_blocks.h': { folder: 'dsp', text: conv2dDspBlocksHeader },
  'qmcu_conv2d_dsp_columns.c': { folder: 'dsp', text: conv2dDspColumns },
  'qmcu_conv2d_dsp_columns.h': { folder: 'dsp', text: conv2dDspColumnsHeader },
  'qmcu_conv2d_dsp_dot.h': { folder: 'dsp', text: conv2dDspDotHeader },
  'qmcu_conv2d_dsp_gather.c': { folder: 'dsp', text: conv2dDspGather },
  'qmcu_conv2d_dsp_gather.h': { folder: 'dsp', text: conv2dDspGatherHeader },
  'qmcu_conv2d_dsp_gather_odd.c': { folder: 'dsp', text: conv2dDspGatherOdd },
  'qmcu_conv2d_dsp_packed.h': { folder: 'dsp', text: conv2dDspPackedHeader },
  'qmcu_conv2d_dsp_packed_block.h': { folder: 'dsp', text: conv2dDspPackedBlockHeader },
  'qmcu_conv2d_dsp_packed_blocks.c': { folder: 'dsp', text: conv2dDspPackedBlocks },
  'qmcu_conv2d_dsp_packed_blocks.h': { folder: 'dsp', text: conv2dDspPackedBlocksHeader },
  'qmcu_conv2d_dsp_packed_columns.c': { folder: 'dsp', text: conv2dDspPackedColumns },
  'qmcu_conv2d_dsp_packed_columns.h': { folder: 'dsp', text: conv2dDspPackedColumnsHeader },
  'qmcu_conv2d_dsp_packed_flush.h': { folder: 'dsp', text: conv2dDspPackedFlushHeader },
  'qmcu_depthwise2d_dsp.c': { folder: 'dsp', text: depthwise2dDsp },
  'qmcu_depthwise2d_dsp.h': { folder: 'dsp', text: depthwise2dDspHeader },
  'qmcu_depthwise2d_dsp_channels.h': { folder: 'dsp', text: depthwise2dDspChannelsHeader },
  'qmcu_depthwise2d_dsp_gather.c': { folder: 'dsp', text: depthwise2dDspGather },
  'qmcu_depthwise2d_dsp_gather.h': { folder: 'dsp', text: depthwise2dDspGatherHeader },
  'qmcu_depthwise2d_dsp_overlap.c': { folder: 'dsp', text: depthwise2dDspOverlap },
  'qmcu_depthwise2d_dsp_polynomial.h': { folder: 'dsp', text: depthwise2dDspPolynomialHeader },
  'qmcu_depthwise2d_dsp_weights.c': { folder: 'dsp', text: depthwise2dDspWeights },
  'qmcu_dsp.h': { folder: 'dsp', text: dspHeader },
  'qmcu_dsp_emulated.h': { folder: 'dsp', text: dspEmulatedHeader },
  'qmcu_fully_connected_dsp_twins.c': { folder: 'dsp', text: fullyConnectedDspTwins },
  'qmcu_codes_mve.c': { folder: 'mve', text: codesMve },
  'qmcu_conv2d_mve.c': { folder: 'mve', text: conv2dMve },
  'qmcu_conv2d_mve_block.h': { folder: 'mve', text: conv2dMveBlockHeader },
  'qmcu_conv2d_mve_columns.c': { folder: 'mve', text: conv2dMveColumns },
  'qmcu_conv2d_mve_columns.h': { folder: 'mve', text: conv2dMveColumnsHeader },
  'qmcu_conv2d_mve_dot.h': { folder: 'mve', text: conv2dMveDotHeader },
  'qmcu_depthwise2d_mve.c': { folder: 'mve', text: depthwise2dMve },
  'qmcu_depthwise2d_mve.h': { folder: 'mve', text: depthwise2dMveHeader },
  'qmcu_depthwise2d_mve_sixteen.c': { folder: 'mve', text: depthwise2dMveSixteen },
  'qmcu_depthwise2d_mve_sixteen.h': { folder: 'mve', text: depthwise2dMveSixteenHeader },
  'qmcu_mve.h': { folder: 'mve', text: mveHeader },
  'qmcu_conv2d_plain.c': { folder: 'plain', text: conv2dPlain },
  'qmcu_conv2d_plain_armv6m.h': { folder: 'plain', text: conv2dPlainArmv6mHeader },
  'qmcu_conv2d_plain_columns.c': { folder: 'plain', text: conv2dPlainColumns },
  'qmcu_conv2d_plain_columns.h': { folder: 'plain', text: conv2dPlainColumnsHeader },
  'qmcu_conv2d_plain_dot.h': { folder: 'plain', text: conv2dPlainDotHeader },
  'qmcu_conv2d_plain_eights.h': { folder: 'plain', text: conv2dPlainEightsHeader },
  'qmcu_conv2d_plain_eights_armv6m.h': { folder: 'plain', text: conv2dPlainEightsArmv6mHeader },
  'qmcu_conv2d_plain_write.c': { folder: 'plain', text: conv2dPlainWrite },
  'qmcu_conv2d_plain_write.h': { folder: 'plain', text: conv2dPlainWriteHeader },
  'qmcu_conv2d_plain_write_armv6m.h': { folder: 'plain', text: conv2dPlainWriteArmv6mHeader },
  'qmcu_plain.h': { folder: 'plain', text: plainHeader },
};
