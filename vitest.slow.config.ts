import { defineConfig } from 'vitest/config';
import { common } from './vitest.config.ts';

/** Whole nights of every kind, and oracles. */
export default defineConfig({
    test: {
        ...common,
        include: ['test/**/*.slow.test.ts'],
        testTimeout: 600_000,
        hookTimeout: 600_000,
    },
});
