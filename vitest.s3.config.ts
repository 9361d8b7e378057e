import { defineConfig } from 'vitest/config';

/** The suites that speak S3, against the server of TIEOUT_TEST_S3_ENDPOINT. */
export default defineConfig({
    test: {
        include: [
            'test/unit/store/s3.test.ts',
            'test/run/state-bucket.test.ts',
            'test/run/races.slow.test.ts',
        ],
        testTimeout: 180_000,
        hookTimeout: 60_000,
        pool: 'forks',
    },
});
