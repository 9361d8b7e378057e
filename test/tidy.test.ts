import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The rules of the house that a reader would otherwise have to remember. */
const root = join(import.meta.dirname, '..');

function filesOf(folder: string, ending: RegExp): readonly string[] {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => ending.test(name))
        .map((name) => join(folder, name).split(sep).join('/'))
        .sort();
}

/** The contracts of a stage, in whichever of its files. */
const declarations = (folder: string) =>
    readdirSync(join(root, folder))
        .filter((name) => name.endsWith('.ts'))
        .map((name) => read(join(folder, name)))
        .join('\n');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const withoutComments = (text: string) =>
    text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
const sources = [...filesOf('src', /\.ts$/), ...filesOf('pipelines', /\.ts$/)];
const selects = filesOf('pipelines', /\.sql$/);

/** src/money/round.ts -> money; src/cli.ts -> cli; pipelines/40-rate/stage.ts -> 40-rate. */
function moduleOf(file: string): string {
    const [, name = ''] = file.split('/');
    return name.replace(/\.ts$/, '');
}

function importsOf(file: string): readonly string[] {
    const found = withoutComments(read(file)).matchAll(/(?:from\s+|import\s+|import\()'([^']+)'/g);
    return [...found].map(([, path = '']) =>
        path.startsWith('.')
            ? relative(root, resolve(root, dirname(file), path))
                  .split(sep)
                  .join('/')
            : path,
    );
}

/** Which modules of src each module may import, besides itself. `*`: all of them. */
const allowed: Readonly<Record<string, readonly string[]>> = {
    assert: ['errors'],
    errors: [],
    money: ['assert'],
    time: ['assert', 'errors'],
    schema: ['money', 'time'],
    duck: ['assert', 'errors'],
    clickhouse: ['errors'],
    store: ['assert', 'errors'],
    state: ['effects', 'errors', 'schema', 'store'],
    stage: ['duck', 'errors', 'money', 'time', 'log'],
    compile: ['duck', 'errors', 'money', 'schema', 'time'],
    rules: ['compile', 'duck', 'errors', 'money', 'schema', 'time'],
    export: ['assert', 'money', 'schema', 'time'],
    items: ['export', 'money', 'schema', 'time'],
    deliver: [
        'assert',
        'effects',
        'errors',
        'export',
        'money',
        'notify',
        'rules',
        'schema',
        'store',
        'time',
    ],
    report: ['export', 'items', 'money', 'schema'],
    quote: ['compile', 'duck', 'errors', 'money', 'run', 'schema', 'stage', 'time'],
    effects: ['clickhouse', 'schema', 'store'],
    log: [],
    notify: ['effects', 'export', 'report', 'schema', 'time'],
    telemetry: ['effects', 'schema'],
    progress: ['effects', 'log'],
    run: ['*'],
    serve: [
        'deliver',
        'errors',
        'export',
        'items',
        'money',
        'report',
        'run',
        'schema',
        'state',
        'time',
    ],
    commands: ['*'],
    cli: ['*'],
};

/** Packages that only one module may know. */
const owners: Readonly<Record<string, readonly string[]>> = {
    '@duckdb/node-api': ['duck'],
    'apache-arrow': ['duck'],
    '@clickhouse/client': ['clickhouse'],
    '@aws-sdk/client-s3': ['store'],
    '@aws-sdk/lib-storage': ['store'],
    'date-fns': ['time'],
    '@date-fns/tz': ['time'],
    jsforce: ['deliver'],
    'jsforce/lib/transport.js': ['deliver'],
    'jsforce/lib/util/promise.js': ['deliver'],
    pino: ['log'],
    commander: ['cli', 'commands'],
    zod: ['schema', 'compile', 'deliver', 'rules', 'commands'],
    hono: ['serve'],
    'hono/body-limit': ['serve'],
    'hono/cookie': ['serve'],
    '@hono/node-server': ['serve'],
    stripe: ['deliver'],
    'cli-table3': ['report'],
    'csv-stringify/sync': ['export'],
    jose: ['deliver'],
    'currency-codes': ['money'],
    '@opentelemetry/api': ['telemetry'],
    '@opentelemetry/exporter-metrics-otlp-http': ['telemetry'],
    '@opentelemetry/exporter-trace-otlp-http': ['telemetry'],
    '@opentelemetry/resources': ['telemetry'],
    '@opentelemetry/sdk-metrics': ['telemetry'],
    '@opentelemetry/sdk-trace': ['telemetry'],
};

describe('who may import whom', () => {
    const src = sources.filter((file) => file.startsWith('src/'));
    test.each(src)('%s', (file) => {
        const own = moduleOf(file);
        const may = allowed[own];
        expect(may, `${own} is not in the table of modules`).toBeDefined();
        for (const path of importsOf(file)) {
            if (path.startsWith('src/')) {
                const other = moduleOf(path);
                const fine = other === own || may?.includes('*') || may?.includes(other);
                expect(fine, `${file} imports ${path}`).toBe(true);
            } else if (path.startsWith('pipelines/')) {
                expect(['run', 'quote', 'commands', 'cli'], `${file} imports ${path}`).toContain(
                    own,
                );
            }
            const owner = owners[path];
            if (owner) expect(owner, `${file} imports ${path}`).toContain(own);
        }
        if (own !== 'cli') expect(importsOf(file)).not.toContain('src/cli.ts');
    });

    test.each(filesOf('pipelines', /\/(stage|[a-z-]*tables)\.ts$/))('%s', (file) => {
        const stage = moduleOf(file);
        for (const path of importsOf(file)) {
            if (path.startsWith('src/')) {
                expect(['duck', 'stage', 'schema', 'compile', 'money']).toContain(moduleOf(path));
            } else if (path.startsWith('pipelines/')) {
                // Only the contracts of stages that come before.
                expect(path).toMatch(/[/-]tables\.ts$/);
                expect(moduleOf(path) <= stage, `${file} imports ${path}`).toBe(true);
            }
        }
    });
});

describe('what sources may not hold', () => {
    const banned: readonly (readonly [string, RegExp, RegExp])[] = [
        // what, where it stands, which files may
        ['the environment', /process\.env/, /^src\/cli\.ts$/],
        ['the clock', /Date\.now|new Date\(\)/, /^src\/(cli|log)\.ts$/],
        ['chance', /Math\.random|randomUUID/, /^$/],
        ['the console', /\bconsole\./, /^$/],
        [
            'a number made of text that may be money',
            /\bNumber\(|parseFloat|toFixed\(/,
            /^src\/time\//,
        ],
        ['work put off', /TODO|FIXME|XXX/, /^$/],
        ['a way around the types', /as any\b|@ts-ignore|@ts-expect-error/, /^$/],
    ];
    test.each(banned)('%s', (_what, pattern, exempt) => {
        const found = sources
            .filter((file) => !exempt.test(file))
            .filter((file) => pattern.test(withoutComments(read(file))));
        expect(found).toEqual([]);
    });

    test('files of more than 400 lines', () => {
        const long = [...sources, ...selects].filter((file) => read(file).split('\n').length > 401);
        expect(long).toEqual([]);
    });

    test('files that nothing imports', () => {
        const used = new Set(
            [...sources, ...filesOf('scripts', /\.ts$/), ...filesOf('test', /\.ts$/)].flatMap(
                importsOf,
            ),
        );
        expect(sources.filter((file) => file !== 'src/cli.ts' && !used.has(file))).toEqual([]);
    });
});

describe('SQL', () => {
    const banned: readonly (readonly [string, RegExp])[] = [
        ['double', /\b(double|float|real)\b/],
        ['division', /[^/]\/[^/]/],
        ['avg', /\bavg\(/],
        ['round_even', /\bround_even\(/],
        ['any_value or first', /\b(any_value|first|last)\(/],
        ['select distinct', /\bselect distinct\b/],
        ['union without all', /\bunion\b(?! all)/],
        ['the clock', /\bnow\(|\bcurrent_(date|timestamp)\b|\brandom\(/],
        ['natural join', /\bnatural join\b/],
        ['sampling', /\busing sample\b|\btablesample\b/],
        ['swallowed errors', /\bignore_errors\b/],
        ['concat_ws', /\bconcat_ws\(/],
        ['a variable', /\bgetvariable\(/],
    ];
    const code = (file: string) =>
        read(file)
            .replaceAll(/--.*$/gm, '')
            .replaceAll(/'(?:[^']|'')*'/g, "''")
            .replaceAll(' // ', ' div ');
    test.each(banned)('no %s', (_what, pattern) => {
        expect(selects.filter((file) => pattern.test(code(file)))).toEqual([]);
    });

    const outputs = selects.filter((file) => /\/\d\d-[^/]+\/[^/]+\.sql$/.test(file));
    test.each(outputs)('%s says what it makes, and its grain', (file) => {
        const text = read(file);
        expect(text).toMatch(/^-- [A-Z]/);
        expect(text).toMatch(/^-- Grain: /m);
        const [, name = ''] = /([^/]+)\.sql$/.exec(file) ?? [];
        expect(declarations(dirname(file))).toContain(`'${name}'`);
    });

    test('lines of at most 100 characters', () => {
        const long = selects.flatMap((file) =>
            read(file)
                .split('\n')
                .flatMap((line, index) => (line.length > 100 ? [`${file}:${index + 1}`] : [])),
        );
        expect(long).toEqual([]);
    });

    test('every audit has a test that makes it fail', () => {
        const tests = filesOf('test', /\.test\.ts$/)
            .map(read)
            .join('\n');
        const audits = selects.filter((file) => file.includes('/audits/'));
        const untested = audits
            .map((file) => /([^/]+)\.sql$/.exec(file)?.[1] ?? '')
            .filter((name) => !tests.includes(`${name} fails when`));
        expect(untested).toEqual([]);
    });
});

describe('the project speaks for itself', () => {
    test('every stage has a README', () => {
        const stages = readdirSync(join(root, 'pipelines')).filter((name) => /^\d\d-/.test(name));
        for (const stage of stages) expect(read(`pipelines/${stage}/README.md`)).toMatch(/^# /);
    });
});
