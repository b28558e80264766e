/**
 * What the engine and the process that runs onnxruntime say to each other over two pipes. A frame is the length of its
 * head (4 bytes, little-endian), the head as JSON, and the bytes of the arrays that the head lists, one after the
 * other.
 */

/** Element types that cross the pipe, as onnxruntime names them, with the array that holds them. */
export const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

export type ElementType = keyof typeof ARRAYS;
export type ElementArray = InstanceType<(typeof ARRAYS)[ElementType]>;

/** One array of a frame. */
export interface ArrayHead {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly bytes: number;
}

/** A feature map of which statistics are kept where onnxruntime runs. */
export interface ObservedOutput {
  readonly map: number;
  readonly name: string;
  readonly shape: { readonly h: number; readonly w: number; readonly c: number };
  readonly layout: 'CHW' | 'HWC';
  /** The value of the model that holds it. */
  readonly value: string;
}

/** Why values of a map cannot be observed; `length`: how many there are instead, null: the value is missing. */
export type ObservationProblem =
  | { readonly kind: 'length'; readonly map: number; readonly length: number | null }
  /** Not all are finite numbers. */
  | { readonly kind: 'infinite'; readonly map: number };

export type Request =
  | {
      readonly kind: 'open';
      /** The ONNX file, which the process reads itself. External data is searched for next to it. */
      readonly model: string;
      /** Values of the model to compute as outputs besides its own. */
      readonly outputs: readonly string[];
      readonly threads: number;
      /** Outputs to keep statistics of. */
      readonly observed: readonly ObservedOutput[];
      /** Those of `outputs` that are not handed over. */
      readonly kept: readonly string[];
    }
  /** Runs the opened model on the frame's arrays. */
  | { readonly kind: 'run' }
  /** Hands over the statistics of all runs. */
  | { readonly kind: 'observed' }
  /** Frees the opened model; another one may follow. */
  | { readonly kind: 'close' };

export type RequestHead = Request & { readonly arrays: readonly ArrayHead[] };

/**
 * `unreadable`: the file; `unloadable`: onnxruntime itself; `refused`: onnxruntime does not take the model or inputs.
 */
export type FailureKind = 'unreadable' | 'unloadable' | 'refused';

export type AnswerHead =
  | { readonly failure: null; readonly arrays: readonly ArrayHead[]; readonly problem?: ObservationProblem }
  | { readonly failure: { readonly kind: FailureKind; readonly reason: string }; readonly arrays: readonly [] };

/** Bytes of a frame's length and head. */
export function frameHead(head: RequestHead | AnswerHead): Buffer {
  const json = Buffer.from(JSON.stringify(head), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json]);
}

/** The memory of an array. */
export function bytesOf(array: ElementArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** An array of zeros with the type and length of a frame's. */
export function arrayFor(head: Pick<ArrayHead, 'type' | 'bytes'>): ElementArray {
  const type = ARRAYS[head.type];
  return new type(head.bytes / type.BYTES_PER_ELEMENT);
}

/** The first line of an error, at most 300 characters. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0].slice(0, 300);
}
