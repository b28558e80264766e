/** ONNX in: everything the rest of the engine needs of this room. */
export { importModel, importOpenModel, openSizes } from './importModel';
export type { ImportOptions } from './importModel';
export { openModel } from './openModel';
export type { OnnxModel } from './model';
export { UnsupportedModelError } from './problems';
export type { ModelProblem } from './problems';
export { endingsOf } from './ending';
export type { Ending, Selection } from './ending';
export { describeModel } from './describeModel';
export type { ModelDescription, NodeDescription, ValueDescription } from './describeModel';
