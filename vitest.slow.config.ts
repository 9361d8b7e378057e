import { defineConfig } from 'vitest/config';
import { slow } from './vitest.config.ts';

export default defineConfig({
    test: {
        include: slow,
        testTimeout: 180_000,
        hookTimeout: 60_000,
        maxWorkers: 2,
        pool: 'forks',
    },
});
