import { defineConfig } from 'vitest/config';
import { common } from './vitest.config.ts';

/** The suites that speak S3, against the server of TIEOUT_TEST_S3_ENDPOINT. */
export default defineConfig({
    test: {
        ...common,
        include: [
            'test/unit/store/s3.test.ts',
            'test/fault/s3-*.test.ts',
            'test/run/state-bucket.slow.test.ts',
            'test/run/backfill-bucket.long.test.ts',
            'test/run/races.long.test.ts',
        ],
        testTimeout: 180_000,
    },
});
