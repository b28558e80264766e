/**
 * Adds outputs to an ONNX model without parsing it: Protocol Buffers merge an embedded message that occurs again into
 * the first, repeated fields by concatenation (Protocol Buffers encoding, "Last One Wins"), so `graph { output { name }
 * … }` appended to the file's bytes is the same model with more outputs. onnxruntime infers their types.
 */

/** ModelProto.graph, GraphProto.output, ValueInfoProto.name: tags (field number << 3 | 2, length-delimited). */
const MODEL_GRAPH = (7 << 3) | 2;
const GRAPH_OUTPUT = (12 << 3) | 2;
const VALUE_NAME = (1 << 3) | 2;

/**
 * @param model bytes of a ModelProto
 * @param names values of its graph that are not outputs yet, each once
 */
export function withOutputs(model: Uint8Array, names: readonly string[]): Uint8Array {
  if (names.length === 0) return model;
  const outputs = names.map((name) => message(GRAPH_OUTPUT, message(VALUE_NAME, Buffer.from(name, 'utf8'))));
  return Buffer.concat([model, message(MODEL_GRAPH, Buffer.concat(outputs))]);
}

function message(tag: number, body: Uint8Array): Buffer {
  const head: number[] = [tag];
  let n = body.length;
  for (; n > 127; n = Math.floor(n / 128)) head.push((n % 128) + 128);
  head.push(n);
  return Buffer.concat([Buffer.from(head), body]);
}
