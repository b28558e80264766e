import block from '../../firmware/qmcu_block.h';
import blocks from '../../firmware/qmcu_blocks.c';
import blocksHeader from '../../firmware/qmcu_blocks.h';
import codes from '../../firmware/qmcu_codes.c';
import columns from '../../firmware/qmcu_columns.c';
import columnsHeader from '../../firmware/qmcu_columns.h';
import conv2d from '../../firmware/qmcu_conv2d.c';
import depthwise2d from '../../firmware/qmcu_depthwise2d.c';
import dsp from '../../firmware/qmcu_dsp.h';
import elementwise from '../../firmware/qmcu_elementwise.c';
import gather from '../../firmware/qmcu_gather.c';
import gatherHeader from '../../firmware/qmcu_gather.h';
import gatherOdd from '../../firmware/qmcu_gather_odd.c';
import internal from '../../firmware/qmcu_internal.h';
import join from '../../firmware/qmcu_join.c';
import joinHeader from '../../firmware/qmcu_join.h';
import mveCodes from '../../firmware/qmcu_mve_codes.c';
import mveColumns from '../../firmware/qmcu_mve_columns.c';
import mveColumnsHeader from '../../firmware/qmcu_mve_columns.h';
import mveConv2d from '../../firmware/qmcu_mve_conv2d.c';
import mveDepthwise2d from '../../firmware/qmcu_mve_depthwise2d.c';
import mveDot from '../../firmware/qmcu_mve_dot.h';
import mve from '../../firmware/qmcu_mve.h';
import pack from '../../firmware/qmcu_pack.h';
import packBlock from '../../firmware/qmcu_pack_block.h';
import packTake from '../../firmware/qmcu_pack_take.h';
import packs from '../../firmware/qmcu_packs.c';
import packsHeader from '../../firmware/qmcu_packs.h';
import pairs from '../../firmware/qmcu_pairs.h';
import plain from '../../firmware/qmcu_plain.h';
import plainArmv6m from '../../firmware/qmcu_plain_armv6m.h';
import plainColumns from '../../firmware/qmcu_plain_columns.c';
import plainColumnsHeader from '../../firmware/qmcu_plain_columns.h';
import plainConv2d from '../../firmware/qmcu_plain_conv2d.c';
import plainDot from '../../firmware/qmcu_plain_dot.h';
import plainWrite from '../../firmware/qmcu_plain_write.c';
import plainWriteHeader from '../../firmware/qmcu_plain_write.h';
import planes from '../../firmware/qmcu_planes.c';
import planesHeader from '../../firmware/qmcu_planes.h';
import poly from '../../firmware/qmcu_poly.h';
import pool from '../../firmware/qmcu_pool.c';
import row from '../../firmware/qmcu_row.h';
import rowWeights from '../../firmware/qmcu_row_weights.c';
import rows from '../../firmware/qmcu_rows.c';
import rowsHeader from '../../firmware/qmcu_rows.h';
import rowsTogether from '../../firmware/qmcu_rows_together.c';
import run from '../../firmware/qmcu_run.c';
import runHeader from '../../firmware/qmcu_run.h';
import scale from '../../firmware/qmcu_scale.h';
import special from '../../firmware/qmcu_special.h';
import tap from '../../firmware/qmcu_tap.h';
import twins from '../../firmware/qmcu_twins.c';
import vector from '../../firmware/qmcu_vector.c';
import quantmcu from '../../firmware/quantmcu.h';
import port from '../../firmware/quantmcu_port.h';

/** All files of `src/firmware/`, bundled as text. */
export const runtimeSources: Readonly<Record<string, string>> = {
  'qmcu_block.h': block,
  'qmcu_blocks.c': blocks,
  'qmcu_blocks.h': blocksHeader,
  'qmcu_codes.c': codes,
  'qmcu_columns.c': columns,
  'qmcu_columns.h': columnsHeader,
  'qmcu_conv2d.c': conv2d,
  'qmcu_depthwise2d.c': depthwise2d,
  'qmcu_dsp.h': dsp,
  'qmcu_elementwise.c': elementwise,
  'qmcu_gather.c': gather,
  'qmcu_gather.h': gatherHeader,
  'qmcu_gather_odd.c': gatherOdd,
  'qmcu_internal.h': internal,
  'qmcu_join.c': join,
  'qmcu_join.h': joinHeader,
  'qmcu_mve.h': mve,
  'qmcu_mve_codes.c': mveCodes,
  'qmcu_mve_columns.c': mveColumns,
  'qmcu_mve_columns.h': mveColumnsHeader,
  'qmcu_mve_conv2d.c': mveConv2d,
  'qmcu_mve_depthwise2d.c': mveDepthwise2d,
  'qmcu_mve_dot.h': mveDot,
  'qmcu_pack.h': pack,
  'qmcu_pack_block.h': packBlock,
  'qmcu_pack_take.h': packTake,
  'qmcu_packs.c': packs,
  'qmcu_packs.h': packsHeader,
  'qmcu_pairs.h': pairs,
  'qmcu_plain.h': plain,
  'qmcu_plain_armv6m.h': plainArmv6m,
  'qmcu_plain_columns.c': plainColumns,
  'qmcu_plain_columns.h': plainColumnsHeader,
  'qmcu_plain_conv2d.c': plainConv2d,
  'qmcu_plain_dot.h': plainDot,
  'qmcu_plain_write.c': plainWrite,
  'qmcu_plain_write.h': plainWriteHeader,
  'qmcu_planes.c': planes,
  'qmcu_planes.h': planesHeader,
  'qmcu_poly.h': poly,
  'qmcu_pool.c': pool,
  'qmcu_row.h': row,
  'qmcu_row_weights.c': rowWeights,
  'qmcu_rows.c': rows,
  'qmcu_rows.h': rowsHeader,
  'qmcu_rows_together.c': rowsTogether,
  'qmcu_run.c': run,
  'qmcu_run.h': runHeader,
  'qmcu_scale.h': scale,
  'qmcu_special.h': special,
  'qmcu_tap.h': tap,
  'qmcu_twins.c': twins,
  'qmcu_vector.c': vector,
  'quantmcu.h': quantmcu,
  'quantmcu_port.h': port,
};
