import Ajv, { type ValidateFunction } from 'ajv';
import { promises as fs } from 'node:fs';
import schema from '../../../media/schema/plan.schema.json';
import { UserError, reasonOf } from '../common/errors';
import { ofOwnSchema } from '../common/ownSchema';
import type { DetectionHead } from './head';

const MAX_BYTES = 1 << 20;

let validator: ValidateFunction<DetectionHead> | undefined;

/** The head of a JSON file. @throws UserError with the place of the first problem */
export async function readHead(file: string): Promise<DetectionHead> {
  let text: string;
  try {
    const { size } = await fs.stat(file);
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes`);
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`The detection head ${file} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    throw new UserError(`${file}: not valid JSON (${reasonOf(error)}).`, { cause: error });
  }
  const options = { allErrors: false, strictRequired: false, strictTypes: false, ...ofOwnSchema };
  validator ??= new Ajv(options).compile<DetectionHead>({
    ...schema.definitions.detection,
    definitions: schema.definitions,
  });
  if (!validator(value)) {
    const e = validator.errors![0];
    const extra = typeof e.params.additionalProperty === 'string' ? ` "${e.params.additionalProperty}"` : '';
    throw new UserError(`${file}: ${e.instancePath || 'the head'} ${e.message}${extra}.`);
  }
  return value;
}
