import { defineConfig } from 'vitest/config';

export default defineConfig({
    test: {
        include: ['test/**/*.test.ts'],
        testTimeout: 60_000,
        hookTimeout: 60_000,
        // DuckDB starts its own threads: one test file per core is enough.
        maxWorkers: 2,
        pool: 'forks',
    },
});
