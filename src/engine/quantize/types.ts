import type { LayerId, MapId } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';

/**
 * How codes of a feature map represent real values: value[c] = scales[c] · (code − zeroPoints[c]). Arrays have C
 * entries, or one for all channels. Codes of b bits are 0…2^b−1 when unsigned, −2^(b−1)…2^(b−1)−1 when signed; those of
 * 16 bits are signed.
 */
export interface MapFormat {
  readonly bits: Bits;
  readonly signed: boolean;
  readonly scales: Float64Array;
  readonly zeroPoints: Int32Array;
  /** Of codes of 16 bits: their largest magnitude, with which readers' sums stay in 32 bits (ties.ts). */
  readonly reach?: number;
}

/**
 * Integer weights of one layer. The scales of the input map are folded in: real output = weightScales[o] · Σ
 * codes[o,…]·(input code − zero point) + bias[o], for input codes of the format the layer reads.
 */
export interface LayerParameters {
  readonly layer: LayerId;
  readonly weightBits: WeightBits;
  /**
   * Same layout as the graph's layer: conv [outC][kH][kW][inC/group], depthwise [kH][kW][C], fully connected
   * [outC][in].
   */
  readonly codes: Int8Array;
  /** [outC], real value of one accumulator unit. */
  readonly weightScales: Float64Array;
  /** [outC], real values; includes what error compensation added. */
  readonly bias: Float64Array;
}

/**
 * All numbers that quantization computed for a Graph under a Plan. Stored next to the sidecar, so C can be generated
 * without the images.
 */
export interface QuantizedParameters {
  /** Format in which each map is stored in regular branches and in the tail. */
  readonly formats: ReadonlyMap<MapId, MapFormat>;
  /** Format of the view that a layer reads, for layers that read fewer bits than their input is stored with. */
  readonly views: ReadonlyMap<LayerId, MapFormat>;
  readonly layers: ReadonlyMap<LayerId, LayerParameters>;
}
