import type { Constant } from '../constant';
import type { Layout } from '../layout';
import type { DraftMap, OnnxRef } from './draft';

/** Scale and zero point under which a value is stored as integers in the file (QuantizeLinear). */
export interface Quantization {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
}

/** An ONNX value that lies in a feature map. */
export interface MapValue {
  readonly kind: 'map';
  readonly map: DraftMap;
  readonly dims: readonly number[];
  readonly layout: Layout;
  /** ONNX name under which exactly these elements can be observed; null inside a pattern. */
  readonly name: string | null;
  /** Nodes that only rename memory between the map and this value. */
  readonly via: readonly OnnxRef[];
  /** Set when the file holds integer codes here; the map holds the real values. */
  readonly quantization: Quantization | null;
  /** Declared as an integer graph input whose codes are taken as real values. */
  readonly integral: boolean;
}

/** What an ONNX name stands for during import. `unknown` follows from a problem already reported. */
export type Value =
  MapValue | { readonly kind: 'constant'; readonly constant: Constant } | { readonly kind: 'unknown' };

export const UNKNOWN: Value = { kind: 'unknown' };
