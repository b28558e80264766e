/**
 * Options of Ajv for a schema that is part of the product: tests hold it against its meta-schema, so it is not checked
 * in every start, and its code is used once or twice. Compiling takes a quarter of the time.
 */
export const ofOwnSchema = { meta: false, validateSchema: false, code: { optimize: false } } as const;
