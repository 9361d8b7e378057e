import { defineConfig } from 'vitest/config';

/** What suites have in common. */
export const common = {
    testTimeout: 180_000,
    hookTimeout: 180_000,
    globalSetup: 'test/support/temporary.ts',
    pool: 'forks',
    // DuckDB starts its own threads: one test file per core is enough.
    maxWorkers: 2,
    // Files of a worker share what they import, which is half of the time of a small file. So whoever
    // changes something of the process (environment, spies, time) puts it back.
    isolate: false,
    restoreMocks: true,
} as const;

/**
 * `npm test`. Suites that run whole nights by the dozen are `*.slow.test.ts` (`npm run test:slow`), those that
 * take many minutes each `*.long.test.ts` (`npm run test:long`, not on every change).
 */
export default defineConfig({
    test: {
        ...common,
        include: ['test/**/*.test.ts'],
        exclude: ['test/**/*.{slow,long}.test.ts'],
    },
});
