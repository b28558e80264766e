import { version } from '../../../package.json';

/** Name and version that plans and generated files carry. */
export const GENERATOR = `QuantMCU ${version}`;
