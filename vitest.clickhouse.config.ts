import { defineConfig } from 'vitest/config';
import { common } from './vitest.config.ts';

/** Nights on ClickHouse, in this process: `chdb` is half a gigabyte, and only this suite installs it. */
export default defineConfig({
    test: {
        ...common,
        include: ['test/clickhouse/*.chdb.ts'],
        globalSetup: ['test/support/install-chdb.ts'],
        maxWorkers: 1,
        // An engine in process has one folder of data for all of its life.
        isolate: true,
        testTimeout: 180_000,
        hookTimeout: 180_000,
    },
});
