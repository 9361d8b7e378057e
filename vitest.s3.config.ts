import { defineConfig } from 'vitest/config';

/** The suites that speak S3, against the server of TIEOUT_TEST_S3_ENDPOINT. */
export default defineConfig({
    test: {
        include: ['test/unit/store/s3.test.ts'],
        testTimeout: 60_000,
        pool: 'forks',
    },
});
