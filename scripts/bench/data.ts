import {
    existsSync,
    globSync,
    mkdirSync,
    readFileSync,
    rmSync,
    statSync,
    writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import { type BenchProject, benchProject, generateQueries } from '../support/bench-data.ts';
import type { Setting } from './subject.ts';

/** The instant of every night over the whole of October 2026. */
export const asOf = '2026-11-05T00:00:00Z';

/** What making data needs of a setting. */
export type DataSetting = Omit<Setting, 'cli'>;

/** An engine with nothing in it, for floors and for making data. */
export const openEngine = ({
    folder,
    memory,
    threads,
}: Pick<Setting, 'folder' | 'memory' | 'threads'>): Promise<Engine> =>
    Engine.open({ file: ':memory:', memory, threads, spill: join(folder, 'spill') });

/** The project beside the data, as it is before anything changes a price. */
export function writeProject(folder: string, of: BenchProject): void {
    for (const [name, text] of Object.entries(benchProject(of))) {
        writeFileSync(join(folder, name), text);
    }
}

/** Parquet and a project; data of the wanted size is kept between runs of one folder. */
export async function makeData(
    setting: DataSetting,
    shape: 'instant' | 'two_phase' = 'instant',
): Promise<void> {
    const { folder, events, memory } = setting;
    const mark = join(folder, 'events');
    const wanted = shape === 'instant' ? events : `${events} ${shape}`;
    if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
        rmSync(folder, { recursive: true, force: true });
        makeSides(join(folder, 'data'));
        await statements(setting, generateQueries(join(folder, 'data'), BigInt(events), shape));
        writeFileSync(mark, wanted);
    }
    writeProject(folder, { memory, shape });
}

/** The same rows as NDJSON.gz in a project of its own, one file a day and side. */
export async function makeText(setting: DataSetting): Promise<void> {
    const folder = textFolder(setting);
    const mark = join(folder, 'made');
    if (!existsSync(mark)) {
        makeSides(join(folder, 'data'));
        await statements(setting, textQueries(setting.folder, folder));
        writeFileSync(mark, '');
    }
    writeProject(folder, { memory: setting.memory, payload: 'data.' });
}

/** The same rows as one CSV a side, which PostgreSQL copies. */
export async function makeCsv(setting: DataSetting): Promise<void> {
    const folder = csvFolder(setting);
    const mark = join(folder, 'made');
    if (existsSync(mark)) return;
    mkdirSync(folder, { recursive: true });
    await statements(
        setting,
        ['usage', 'debits'].map(
            (side) =>
                `copy (select * from ${parquetOf(setting.folder, side)})
                 to ${quoteText(join(folder, `${side}.csv`))} (format csv, header false)`,
        ),
    );
    writeFileSync(mark, '');
}

export const textFolder = ({ folder }: Pick<Setting, 'folder'>): string => join(folder, 'text');
export const csvFolder = ({ folder }: Pick<Setting, 'folder'>): string => join(folder, 'csv');

/** The generated Parquet of one side, as DuckDB reads it. */
export const parquetOf = (folder: string, side: string): string =>
    `read_parquet(${quoteText(join(folder, 'data', side, '*.parquet'))})`;

/** How large it is, of both sides. */
export const parquetBytes = ({ folder }: Pick<Setting, 'folder'>): number =>
    globSync(join(folder, 'data', '*', '*.parquet')).reduce(
        (sum, file) => sum + statSync(file).size,
        0,
    );

function makeSides(folder: string): void {
    for (const side of ['usage', 'debits']) mkdirSync(join(folder, side), { recursive: true });
}

/** Usage as CloudEvents, instants as RFC 3339 and amounts as text, as logs have them. */
function textQueries(from: string, to: string): readonly string[] {
    const instant = (name: string) => `strftime(${name}, '%Y-%m-%dT%H:%M:%S.%gZ') as ${name}`;
    const columns = {
        usage: `'1.0' as specversion, source, id, type, subject, ${instant('time')}, {
            model: model, input_tokens: input_tokens, cached_input_tokens: cached_input_tokens,
            output_tokens: output_tokens} as data`,
        debits: `* replace (${instant('booked_at')}, amount::varchar as amount)`,
    };
    const days = Array.from({ length: 31 }, (_, day) => String(day + 1).padStart(2, '0'));
    return Object.entries(columns).flatMap(([side, select]) =>
        days.map((day) => {
            const name = join('data', side, `dt=2026-10-${day}`);
            return `copy (select ${select} from ${quoteText(join(from, `${name}.parquet`))})
                to ${quoteText(join(to, `${name}.ndjson.gz`))} (format json, compression gzip)`;
        }),
    );
}

async function statements(setting: DataSetting, queries: readonly string[]): Promise<void> {
    const duck = await openEngine(setting);
    try {
        for (const sql of queries) await duck.run(sql);
    } finally {
        duck.close();
    }
}
