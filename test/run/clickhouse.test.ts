import { describe, expect, test } from 'vitest';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { memoryStore } from '../support/memory-store.ts';
import { tieout, tinyFiles, tinyProjects } from '../support/terminal.ts';

/** A server of a version, with one cluster. */
const server: ClickHouse = {
    address: 'http://ch.example:8123',
    run: async () => {},
    read: async () => Buffer.from('["26.7.2.1", ["reports"]]\n'),
    insert: async () => {},
    close: async () => {},
};

describe('doctor of a project on ClickHouse', () => {
    const project = tinyProjects();
    const said = async (settings: string, store: string) => {
        const text = (tinyFiles()['tieout.yaml'] ?? '')
            .replace(
                'engine: {',
                `engine: { clickhouse: { url: "http://ch.example:8123"${settings} },`,
            )
            .replace('  folder: data', store);
        const { folder } = project({ ...tinyFiles(), 'tieout.yaml': text });
        const objects = memoryStore(
            Object.fromEntries(
                Object.entries(tinyFiles()).map(([name, of]) => [name.replace(/^data\//, ''), of]),
            ),
        );
        const { out } = await tieout('doctor', { cwd: folder, store: objects, clickhouse: server });
        return out.split('\n').filter((line) => line.includes('clickhouse') || line.includes('->'));
    };
    const bucket = '  bucket: usage-of-tiny';

    test.each([
        ['', bucket, /ok .*26\.7\.2\.1 at http:\/\/ch\.example:8123$/],
        [', cluster: reports', bucket, /ok .*26\.7\.2\.1 at .*, cluster reports$/],
        [', cluster: other', bucket, /http:\/\/ch\.example:8123 has no cluster other/],
        [
            '',
            '  folder: data',
            /CLICKHOUSE_UNSUPPORTED: what this project needs is not done on ClickHouse/,
        ],
    ])('%s, %s', async (settings, store, wanted) => {
        expect((await said(settings, store)).join('\n')).toMatch(wanted);
    });
});
