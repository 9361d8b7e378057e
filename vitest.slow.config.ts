import { defineConfig } from 'vitest/config';
import { common } from './vitest.config.ts';

/** Suites that run whole nights by the dozen, and oracles over more lines than in `npm test`. */
const oracles = ['quote', 'quote-draw-down', 'slow-draw-down'];

export default defineConfig({
    test: {
        ...common,
        include: ['test/**/*.slow.test.ts', ...oracles.map((of) => `test/oracle/${of}.test.ts`)],
        env: { TIEOUT_ORACLE_LINES: process.env.TIEOUT_ORACLE_LINES ?? '1500' },
        testTimeout: 180_000,
    },
});
