import codes from '../../firmware/qmcu_codes.c';
import conv2d from '../../firmware/qmcu_conv2d.c';
import depthwise2d from '../../firmware/qmcu_depthwise2d.c';
import dot from '../../firmware/qmcu_dot.c';
import dotHeader from '../../firmware/qmcu_dot.h';
import elementwise from '../../firmware/qmcu_elementwise.c';
import fullyConnected from '../../firmware/qmcu_fully_connected.c';
import internal from '../../firmware/qmcu_internal.h';
import pool from '../../firmware/qmcu_pool.c';
import vector from '../../firmware/qmcu_vector.c';
import quantmcu from '../../firmware/quantmcu.h';
import port from '../../firmware/quantmcu_port.h';

/** All files of `src/firmware/`, bundled as text. */
export const runtimeSources: Readonly<Record<string, string>> = {
  'qmcu_codes.c': codes,
  'qmcu_conv2d.c': conv2d,
  'qmcu_depthwise2d.c': depthwise2d,
  'qmcu_dot.c': dot,
  'qmcu_dot.h': dotHeader,
  'qmcu_elementwise.c': elementwise,
  'qmcu_fully_connected.c': fullyConnected,
  'qmcu_internal.h': internal,
  'qmcu_pool.c': pool,
  'qmcu_vector.c': vector,
  'quantmcu.h': quantmcu,
  'quantmcu_port.h': port,
};
