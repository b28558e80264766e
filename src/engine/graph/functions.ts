import type { ActivationFunction, Formula } from './types';

/** The function of one value that an activation layer applies. */
export function activationFunction(fn: ActivationFunction): (x: number) => number {
  switch (fn.name) {
    case 'leakyRelu':
      return (x) => (x < 0 ? x * fn.alpha : x);
    case 'hardSigmoid':
      return (x) => Math.max(0, Math.min(1, fn.alpha * x + fn.beta));
    case 'hardSwish':
      return (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5));
    case 'sigmoid':
      return (x) => 1 / (1 + Math.exp(-x));
    case 'silu':
      return (x) => x / (1 + Math.exp(-x));
    case 'tanh':
      return Math.tanh;
    case 'elu':
      return (x) => (x > 0 ? fn.gamma * x : fn.alpha * Math.expm1(x / fn.width));
    case 'softplus':
      return (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case 'softsign':
      return (x) => x / (1 + Math.abs(x));
    case 'erf':
      return erf;
    case 'exp':
      return Math.exp;
    case 'log':
      return Math.log;
    case 'abs':
      return Math.abs;
    case 'sqrt':
      return Math.sqrt;
    case 'pow':
      return (x) => x ** fn.exponent;
    case 'thresholdedRelu':
      return (x) => (x > fn.alpha ? x : 0);
    case 'shrink':
      return (x) => (x < -fn.lambd ? x + fn.bias : x > fn.lambd ? x - fn.bias : 0);
    case 'clamp': {
      const low = fn.min ?? -Infinity;
      const high = fn.max ?? Infinity;
      return (x) => Math.min(high, Math.max(low, x));
    }
    case 'formula':
      return formulaFunction(fn.formula);
  }
}

function formulaFunction(formula: Formula): (x: number) => number {
  switch (formula.op) {
    case 'x':
      return (x) => x;
    case 'line': {
      const of = formulaFunction(formula.of);
      return (x) => formula.scale * of(x) + formula.offset;
    }
    case 'apply': {
      const fn = activationFunction(formula.fn);
      const of = formulaFunction(formula.of);
      return (x) => fn(of(x));
    }
    case 'product': {
      const a = formulaFunction(formula.a);
      const b = formulaFunction(formula.b);
      return (x) => a(x) * b(x);
    }
    case 'sum': {
      const a = formulaFunction(formula.a);
      const b = formulaFunction(formula.b);
      const [p, q] = formula.signs;
      return (x) => p * a(x) + q * b(x);
    }
  }
}

/** Whether the function's values are never negative. @param input whether its arguments never are */
export function isNonNegative(fn: ActivationFunction, input: boolean): boolean {
  switch (fn.name) {
    case 'clamp':
      return (fn.min !== null && fn.min >= 0) || (input && (fn.max === null || fn.max >= 0));
    case 'hardSigmoid':
    case 'sigmoid':
    case 'softplus':
    case 'exp':
    case 'abs':
    case 'sqrt':
      return true;
    case 'pow':
      return input || fn.exponent % 2 === 0;
    case 'elu':
      return input && fn.gamma >= 0;
    case 'thresholdedRelu':
      return input || fn.alpha >= 0;
    case 'shrink':
      return input && fn.lambd >= 0 && fn.bias <= fn.lambd;
    case 'formula':
      return isNonNegativeFormula(fn.formula, input);
    case 'leakyRelu':
    case 'hardSwish':
    case 'silu':
    case 'tanh':
    case 'softsign':
    case 'erf':
      return input;
    case 'log':
      return false;
  }
}

/** Whether 512 straight pieces follow the function: it neither jumps nor becomes arbitrarily steep. */
export function isSmooth(fn: ActivationFunction): boolean {
  switch (fn.name) {
    case 'log':
    case 'sqrt':
    case 'thresholdedRelu':
    case 'shrink':
      return false;
    case 'pow':
      return Number.isInteger(fn.exponent) && fn.exponent > 0;
    case 'formula':
      return isSmoothFormula(fn.formula);
    default:
      return true;
  }
}

function isSmoothFormula(formula: Formula): boolean {
  switch (formula.op) {
    case 'x':
      return true;
    case 'line':
      return isSmoothFormula(formula.of);
    case 'apply':
      return isSmooth(formula.fn) && isSmoothFormula(formula.of);
    case 'product':
    case 'sum':
      return isSmoothFormula(formula.a) && isSmoothFormula(formula.b);
  }
}

function isNonNegativeFormula(formula: Formula, input: boolean): boolean {
  switch (formula.op) {
    case 'x':
      return input;
    case 'line':
      return formula.scale >= 0 && formula.offset >= 0 && isNonNegativeFormula(formula.of, input);
    case 'apply':
      return isNonNegative(formula.fn, isNonNegativeFormula(formula.of, input));
    case 'product':
      return (
        formula.a === formula.b || (isNonNegativeFormula(formula.a, input) && isNonNegativeFormula(formula.b, input))
      );
    case 'sum':
      return (
        formula.signs.every((sign) => sign > 0) &&
        isNonNegativeFormula(formula.a, input) &&
        isNonNegativeFormula(formula.b, input)
      );
  }
}

/**
 * The error function to double precision by its series of positive terms, erf x = 2/√π · e^(−x²) · Σ 2ⁿx²ⁿ⁺¹/(2n+1)!!
 * (Abramowitz and Stegun, 7.1.6); beyond 6 it is 1.
 */
export function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const X: Formula = { op: 'x' };
const apply = (fn: Exclude<ActivationFunction, { name: 'formula' }>, of: Formula): Formula => ({ op: 'apply', fn, of });
const line = (scale: number, offset: number, of: Formula): Formula => ({ op: 'line', scale, offset, of });

/** Gelu (ONNX opset 20): x·Φ(x), or its approximation by Tanh. */
export function gelu(approximate: boolean): ActivationFunction {
  const cubic: Formula = {
    op: 'sum',
    a: X,
    b: line(0.044715, 0, apply({ name: 'pow', exponent: 3 }, X)),
    signs: [1, 1],
  };
  const bent = approximate
    ? apply({ name: 'tanh' }, line(Math.sqrt(2 / Math.PI), 0, cubic))
    : apply({ name: 'erf' }, line(Math.SQRT1_2, 0, X));
  return { name: 'formula', label: 'Gelu', formula: { op: 'product', a: X, b: line(0.5, 0.5, bent) } };
}

/** Mish (ONNX opset 18): x·tanh(softplus(x)). */
export const mish: ActivationFunction = {
  name: 'formula',
  label: 'Mish',
  formula: { op: 'product', a: X, b: apply({ name: 'tanh' }, apply({ name: 'softplus' }, X)) },
};

/** Swish (ONNX opset 24): x·sigmoid(alpha·x). */
export function swish(alpha: number): ActivationFunction {
  return alpha === 1
    ? { name: 'silu' }
    : {
        name: 'formula',
        label: 'Swish',
        formula: { op: 'product', a: X, b: apply({ name: 'sigmoid' }, line(alpha, 0, X)) },
      };
}
