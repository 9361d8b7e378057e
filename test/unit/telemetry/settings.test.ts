import { expect, test } from 'vitest';
import { wantedSignals } from '../../../src/telemetry/settings.ts';

const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const url = 'http://127.0.0.1:4318/x';

test.each<[string, Record<string, string>, string]>([
    ['nothing is set', {}, 'nothing'],
    ['an endpoint for all', all, 'traces metrics'],
    ['an empty one', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, 'nothing'],
    ['one for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url }, 'traces'],
    ['one for metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url }, 'metrics'],
    ['all but traces', { ...all, OTEL_TRACES_EXPORTER: 'none' }, 'metrics'],
    ['all but metrics', { ...all, OTEL_METRICS_EXPORTER: 'none' }, 'traces'],
    ['switched off', { ...all, OTEL_SDK_DISABLED: 'TRUE' }, 'nothing'],
])('%s', (_what, environment, wanted) => {
    const signals = wantedSignals(environment);
    const names = [
        ...(signals?.traces ? ['traces'] : []),
        ...(signals?.metrics ? ['metrics'] : []),
    ];
    expect(names.join(' ') || 'nothing').toBe(wanted);
});
