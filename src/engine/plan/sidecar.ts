import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import * as path from 'node:path';
import schema from '../../../media/schema/plan.schema.json';
import { UserError, reasonOf } from '../common/errors';
import { ofOwnSchema } from '../common/ownSchema';
import type { Plan } from './types';

/** Largest sidecar that is read; real ones have some tens of kilobytes. */
export const MAX_PLAN_BYTES = 16 << 20;

let validator: ValidateFunction<Plan> | undefined;

function validate(): ValidateFunction<Plan> {
  validator ??= new Ajv({ allErrors: false, allowUnionTypes: true, ...ofOwnSchema }).compile<Plan>(schema);
  return validator;
}

/** Where the sidecar of a model lies unless the user says otherwise: `<model>.quantmcu.json` beside it. */
export function defaultPlanPath(modelPath: string): string {
  return modelPath.replace(/\.onnx$/i, '') + '.quantmcu.json';
}

/** Name of the parameter file next to a sidecar. */
export function parametersFileName(planPath: string): string {
  return path.basename(planPath).replace(/(\.quantmcu)?\.json$/i, '') + '.quantmcu.params';
}

/**
 * Parses and checks a sidecar's text.
 * @param file named in errors
 * @throws UserError with the place of the first problem
 */
export function parsePlan(text: string, file: string): Plan {
  if (text.length > MAX_PLAN_BYTES)
    throw new UserError(`${file} is too large for a plan (${text.length} bytes). Quantize the model again.`);
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    throw new UserError(`${file}: not valid JSON (${reasonOf(error)}).`);
  }
  refuseOtherVersion(value, file);
  const check = validate();
  if (!check(value)) {
    const e = mostTelling(check.errors!);
    const allowed = Array.isArray(e.params.allowedValues)
      ? ` (${(e.params.allowedValues as unknown[]).map((v) => JSON.stringify(v)).join(', ')})`
      : '';
    const extra = typeof e.params.additionalProperty === 'string' ? ` "${e.params.additionalProperty}"` : '';
    throw new UserError(`${file}: ${e.instancePath || 'the plan'} ${e.message}${allowed}${extra}.`);
  }
  const stage = value.patchStage;
  if (stage && (stage.classes.length !== stage.grid.rows || stage.classes.some((r) => r.length !== stage.grid.cols))) {
    throw new UserError(
      `${file}: /patchStage/classes must have ${stage.grid.rows} strings of ${stage.grid.cols} characters, to ` +
        'match the grid.',
    );
  }
  return value;
}

/** Plans of another version: what is wrong with the rest of them says nothing. */
function refuseOtherVersion(value: unknown, file: string): void {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version === 1) return;
  const shown = (JSON.stringify(value.version) ?? '').slice(0, 40);
  throw new UserError(
    `${file}: /version is ${shown}, but only version 1 can be read. Open it with the QuantMCU version that ` +
      'wrote it, or quantize the model again.',
  );
}

/**
 * Where a value may be an object or null, the check tells both that it is not null and what is wrong inside: the error
 * deepest inside is the one meant.
 */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject {
  const depth = (e: ErrorObject): number => e.instancePath.split('/').length;
  const saysLittle = (e: ErrorObject): boolean =>
    e.keyword === 'anyOf' || e.keyword === 'oneOf' || (e.keyword === 'type' && e.params.type === 'null');
  return [...errors].sort((a, b) => Number(saysLittle(a)) - Number(saysLittle(b)) || depth(b) - depth(a))[0];
}

/**
 * Text of a sidecar: stable order of keys, one map or layer per line, the record of the search last, so that diffs read
 * well.
 */
export function formatPlan(plan: Plan): string {
  const { maps, layers, account, ...rest } = plan;
  const parts = [inside(rest, '  '), `  "maps": ${rows(maps, '  ')}`, `  "layers": ${rows(layers, '  ')}`];
  if (account) {
    const { maps: byMap, layers: byLayer, ...about } = account;
    parts.push(
      `  "account": {\n${inside(about, '    ')},\n    "maps": ${rows(byMap, '    ')},\n` +
        `    "layers": ${rows(byLayer, '    ')}\n  }`,
    );
  }
  return `{\n${parts.join(',\n')}\n}\n`;
}

/** JSON has no NaN: it would become null, and the plan could not be opened. */
function finite(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`a plan's ${key} would be ${value}`);
  return value;
}

/** Members of an object, indented, without its braces. */
function inside(value: object, indent: string): string {
  const lines = JSON.stringify(value, finite, 2).split('\n').slice(1, -1);
  return lines.map((line) => `${indent.slice(2)}${line}`).join('\n');
}

/** An object of one member per line. */
function rows(record: Readonly<Record<string, unknown>>, indent: string): string {
  const lines = Object.entries(record).map(
    ([name, value]) => `${indent}  ${JSON.stringify(name)}: ${JSON.stringify(value, finite)}`,
  );
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}
