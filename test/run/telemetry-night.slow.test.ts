import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Certificate } from '../../src/schema/certificate.ts';
import { type Receiver, receiver } from '../support/receiver.ts';
import { type Said, type TinyProject, tieout, tinyProject } from '../support/terminal.ts';

/** A night as a collector of OpenTelemetry sees it, over real HTTP on this machine. */
let project: TinyProject;
beforeAll(() => {
    project = tinyProject();
});
afterAll(() => project.remove());
afterEach(() => vi.unstubAllEnvs());

/** Types a command while a collector is named. The exporters read the process's own variables. */
function type(line: string, endpoint: string): Promise<Said> {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint);
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    return tieout(line, { cwd: project.folder, environment });
}

interface Attribute {
    readonly key: string;
    readonly value: Readonly<Record<string, string | number | boolean>>;
}
interface Span {
    readonly name: string;
    readonly spanId: string;
    readonly traceId: string;
    readonly parentSpanId?: string;
    readonly startTimeUnixNano: string;
    readonly endTimeUnixNano: string;
    readonly attributes: readonly Attribute[];
    readonly status: { readonly code: number };
}
interface Metric {
    readonly name: string;
    readonly unit: string;
    readonly gauge: {
        readonly dataPoints: readonly {
            readonly attributes: readonly Attribute[];
            readonly asDouble: number;
        }[];
    };
}

const plain = (attributes: readonly Attribute[]) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

function bodyOf({ received }: Receiver, path: string) {
    const found = received.filter((of) => of.path === path);
    expect(found).toHaveLength(1);
    expect(found[0]?.headers['content-type']).toBe('application/json');
    return JSON.parse(found[0]?.body ?? '');
}

function spansOf(collector: Receiver): { readonly command: Span; readonly parts: readonly Span[] } {
    const { resourceSpans } = bodyOf(collector, '/v1/traces');
    const spans: readonly Span[] = resourceSpans[0].scopeSpans[0].spans;
    const [command, ...others] = spans.filter(({ parentSpanId }) => !parentSpanId);
    expect(others).toEqual([]);
    return { command: command!, parts: spans.filter(({ parentSpanId }) => parentSpanId) };
}

function metricsOf(collector: Receiver): Readonly<Record<string, readonly string[]>> {
    const { resourceMetrics } = bodyOf(collector, '/v1/metrics');
    const metrics: readonly Metric[] = resourceMetrics[0].scopeMetrics[0].metrics;
    return Object.fromEntries(
        metrics.map(({ name, unit, gauge }) => [
            `${name} (${unit})`,
            gauge.dataPoints.map(({ attributes, asDouble }) => {
                const value = unit === 's' ? 'n' : asDouble;
                return [...Object.values(plain(attributes)), value].join(' ');
            }),
        ]),
    );
}

test('a start without a collector loads nothing of it; with one it does', () => {
    const watch = `data:text/javascript,import { registerHooks } from 'node:module';
        registerHooks({ resolve(name, context, next) {
            if (name.startsWith('@opentelemetry/')) console.error('LOADED ' + name);
            return next(name, context);
        } });`;
    const cli = join(import.meta.dirname, '../../src/cli.ts');
    const loaded = (endpoint: string) =>
        spawnSync(process.execPath, ['--import', watch, cli, 'rules', 'check'], {
            cwd: project.folder,
            encoding: 'utf8',
            env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
        }).stderr;
    expect(loaded('')).toBe('');
    const refused = loaded('http://127.0.0.1:1');
    expect(refused).toContain('LOADED @opentelemetry/sdk-trace');
    expect(refused).toMatch(
        /^warning: the collector of OpenTelemetry did not take the traces and metrics$/m,
    );
});

describe('a run', () => {
    let collector: Receiver;
    let certificate: Certificate;
    beforeAll(async () => {
        collector = await receiver(200);
        const { out, err, exit } = await type('run --period 2026-10 --json', collector.url);
        expect([exit, err]).toEqual([0, '']);
        certificate = JSON.parse(out).certificate;
    });
    afterAll(() => collector.stop());

    test('is a span, and each part of it one within', () => {
        const { command, parts } = spansOf(collector);
        expect(command.name).toBe('tieout run');
        expect(plain(command.attributes)).toEqual({
            'tieout.command': 'run',
            'tieout.exit': 0,
            'tieout.is_reused': false,
            'tieout.period': '2026-10',
            'tieout.result': 'finished',
            'tieout.run_id': certificate.run_id,
        });
        expect(parts.map(({ name }) => name)).toEqual([
            ...['fetch gateway', 'read gateway', 'fetch wallet', 'read wallet', '20-mediate'],
            ...[
                '30-meter',
                '40-rate',
                '45-price',
                '50-roll-up',
                '70-reconcile',
                '72-bill',
                '76-draw-down',
            ],
            ...['80-invoice', 'write'],
        ]);
        let before = BigInt(command.startTimeUnixNano);
        for (const { traceId, parentSpanId, startTimeUnixNano, endTimeUnixNano } of parts) {
            expect([traceId, parentSpanId]).toEqual([command.traceId, command.spanId]);
            expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(before);
            expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
            before = BigInt(endTimeUnixNano);
        }
        expect(BigInt(command.endTimeUnixNano)).toBeGreaterThanOrEqual(before);
    });

    test('has the rows of its control totals', () => {
        const rows = new Map(
            spansOf(collector).parts.map(({ name, attributes }) => [
                name,
                plain(attributes)['tieout.rows'],
            ]),
        );
        expect(rows.get('fetch gateway')).toBe(9);
        expect(rows.get('fetch wallet')).toBe(8);
        expect(rows.get('write')).toBeUndefined();
        const written = certificate.totals.filter(({ stage }) => stage === '80-invoice');
        expect(rows.get('80-invoice')).toBe(
            written.reduce((sum, { row_count }) => sum + Number(row_count), 0),
        );
    });

    test('is measured; no series is new each night', () => {
        const metrics = metricsOf(collector);
        expect(Object.keys(metrics)).toEqual([
            ...['tieout.command.duration (s)', 'tieout.command.exit (1)'],
            ...['tieout.part.duration (s)', 'tieout.part.rows ({row})', 'tieout.breaks ({break})'],
            'tieout.held_payers ({payer})',
        ]);
        expect(metrics).toMatchObject({
            'tieout.command.duration (s)': ['run finished n'],
            'tieout.command.exit (1)': ['run 0'],
            'tieout.breaks ({break})': ['run METERED_NOT_DEBITED 1'],
            'tieout.held_payers ({payer})': ['run 0'],
        });
        expect(metrics['tieout.part.duration (s)']).toHaveLength(14);
        expect(metrics['tieout.part.rows ({row})']).toContain('run fetch gateway 9');
        expect(JSON.stringify(metrics)).not.toContain(certificate.run_id);
    });
});

test('a failure is marked on the command and on the part in which it happened', async () => {
    const broken = tinyProject();
    broken.write('data/usage/dt=2026-10-02/1.ndjson', '{"id": "no event"}\n');
    const collector = await receiver(200);
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
    const { exit } = await tieout('run --period 2026-10', { cwd: broken.folder, environment });
    const { command, parts } = spansOf(collector);
    expect(exit).toBe(1);
    expect(plain(command.attributes)).toMatchObject({
        ...{ 'tieout.exit': 1, 'tieout.result': 'failed', 'error.type': 'AUDIT_FAILED' },
    });
    const error = 2;
    expect([command.status.code, parts.at(-1)?.status.code]).toEqual([error, error]);
    expect(parts.slice(0, -1).every(({ status }) => status.code !== error)).toBe(true);
    expect(plain(parts.at(-1)?.attributes ?? [])).toEqual({ 'error.type': 'AUDIT_FAILED' });
    await collector.stop();
    broken.remove();
});

test('a collector that refuses is a warning, and neither exit nor answer change', async () => {
    const collector = await receiver(401);
    const { exit, out, err } = await type('run --period 2026-10 --json', collector.url);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ is_reused: true });
    expect(err).toBe(
        'warning: the collector of OpenTelemetry did not take the traces and metrics\n',
    );
    await collector.stop();
});
