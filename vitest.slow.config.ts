import { defineConfig } from 'vitest/config';
import { common } from './vitest.config.ts';

/** Suites that run whole nights by the dozen. Both this and `npm test` are in .ci/run. */
export default defineConfig({
    test: { ...common, include: ['test/**/*.slow.test.ts'], testTimeout: 180_000 },
});
