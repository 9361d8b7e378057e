import { expect, test, vi } from 'vitest';
import { exportTimeline } from '../../src/telemetry/otlp.ts';
import { receiver } from '../support/receiver.ts';

test('a collector that never answers is waited for 5 seconds', async () => {
    const collector = await receiver('silence');
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
    const outcome = { command: 'plan', period: null, exit: 0, error: null, run: null };
    const timeline = { outcome, began: 1, ended: 2, parts: [], version: '1' };
    const start = performance.now();
    expect(await exportTimeline(timeline, { traces: true, metrics: true })).toEqual([
        'traces',
        'metrics',
    ]);
    expect(performance.now() - start).toBeLessThan(8_000);
    await collector.stop();
    vi.unstubAllEnvs();
});
