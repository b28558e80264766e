export { Executor, runProgram, type RunHooks, type RunResult, type StepResult } from './executor';
