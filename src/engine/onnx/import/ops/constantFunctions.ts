import { activationFunction, erf } from '../../../graph/functions';
import type { ActivationFunction } from '../../../graph/types';

/**
 * Functions of one number that constants may go through, by operator; what the operator itself has no attributes for.
 */
export const UNARY_FUNCTIONS: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  BitwiseNot: (x) => ~x,
  Ceil: Math.ceil,
  Cos: Math.cos,
  Cosh: Math.cosh,
  Erf: erf,
  Exp: Math.exp,
  Floor: Math.floor,
  HardSwish: named({ name: 'hardSwish' }),
  Log: Math.log,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Round: roundHalfEven,
  Sigmoid: named({ name: 'sigmoid' }),
  Sign: Math.sign,
  Sin: Math.sin,
  Sinh: Math.sinh,
  Softplus: named({ name: 'softplus' }),
  Softsign: named({ name: 'softsign' }),
  Sqrt: Math.sqrt,
  Tan: Math.tan,
  Tanh: Math.tanh,
};

/** Questions about one number. */
export const UNARY_TESTS: Readonly<Record<string, (x: number) => boolean>> = {
  IsInf: (x) => Math.abs(x) === Infinity,
  IsNaN: Number.isNaN,
  Not: (x) => x === 0,
};

/** Questions about two numbers. */
export const BINARY_TESTS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  And: (a, b) => a !== 0 && b !== 0,
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
  Or: (a, b) => a !== 0 || b !== 0,
  Xor: (a, b) => (a !== 0) !== (b !== 0),
};

/** How reductions combine elements: a value to begin with, a step, and what becomes of the result of n elements. */
export interface Reduction {
  readonly first: number;
  readonly step: (total: number, x: number) => number;
  readonly finish?: (total: number, n: number) => number;
}

const sum = (total: number, x: number): number => total + x;

export const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  ReduceL1: { first: 0, step: (total, x) => total + Math.abs(x) },
  ReduceL2: { first: 0, step: (total, x) => total + x * x, finish: Math.sqrt },
  ReduceLogSum: { first: 0, step: sum, finish: Math.log },
  ReduceLogSumExp: { first: 0, step: (total, x) => total + Math.exp(x), finish: Math.log },
  ReduceMax: { first: -Infinity, step: Math.max },
  ReduceMean: { first: 0, step: sum, finish: (total, n) => total / n },
  ReduceMin: { first: Infinity, step: Math.min },
  ReduceProd: { first: 1, step: (total, x) => total * x },
  ReduceSum: { first: 0, step: sum },
  ReduceSumSquare: { first: 0, step: (total, x) => total + x * x },
};

function named(fn: ActivationFunction): (x: number) => number {
  return activationFunction(fn);
}

/** Round to nearest, ties to even. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
