import { defineConfig } from 'vitest/config';
import slow from './vitest.slow.config.ts';

/** Suites that take most of an hour: before a release, and after a change of what they are about. */
export default defineConfig({
    test: { ...slow.test, include: ['test/**/*.long.test.ts'], testTimeout: 600_000 },
});
