import { defineConfig } from 'vitest/config';

/** Suites that run whole nights by the dozen: `npm run test:slow`, and in .ci/run. */
export const slow = [
    'test/oracle/nights.test.ts',
    'test/oracle/pipeline.test.ts',
    'test/properties/**/*.test.ts',
    'test/run/cases-threads.test.ts',
    'test/run/keep.test.ts',
    'test/run/nights.test.ts',
    'test/run/resume.test.ts',
    'test/run/price-list.test.ts',
];

export default defineConfig({
    test: {
        include: ['test/**/*.test.ts'],
        exclude: slow,
        testTimeout: 60_000,
        hookTimeout: 60_000,
        // DuckDB starts its own threads: one test file per core is enough.
        maxWorkers: 2,
        pool: 'forks',
    },
});
