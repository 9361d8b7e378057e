import { defineConfig } from 'vitest/config';
import slow from './vitest.slow.config.ts';

/** Matrices and worlds of which other suites take a few: here all of them. */
const ofOthers = [
    'test/**/*.slow.test.ts',
    'test/run/charge-models.test.ts',
    'test/unit/compile/aggregation.test.ts',
];

/** Suites that take hours: before a release, and after a change of what they are about. */
export default defineConfig({
    test: {
        ...slow.test,
        include: ['test/**/*.long.test.ts', ...ofOthers],
        env: { TIEOUT_RUNS: 'all', TIEOUT_ORACLE_LINES: process.env.TIEOUT_ORACLE_LINES ?? '1500' },
        testTimeout: 600_000,
    },
});
