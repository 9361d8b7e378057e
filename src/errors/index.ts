export { type FileProblem, printProblem } from './config.ts';
export type { ExitCode, Json } from './define.ts';
export { catalogue, type ErrorCode, type ErrorParams, RunError } from './run-error.ts';
