import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { openProject } from '../../src/run/project.ts';
import { readLog } from '../../src/state/commit-log.ts';
import { openState } from '../../src/state/open.ts';
import { s3Store } from '../../src/store/s3.ts';
import { machine, removeMachines, tinyObjects } from '../support/machines.ts';
import { startS3 } from '../support/s3-server.ts';
import { testTerminal, tieout } from '../support/terminal.ts';
import { fieldIn, picksIn, readable, served } from './serve.world.ts';

afterAll(removeMachines);

test('a state in a bucket: another machine looks at a break and comments on it', async () => {
    const bucket = `serve-${process.pid}`;
    const server = await startS3();
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    await server.makeBucket(bucket);
    const at = { bucket, endpoint: server.endpoint, path_style: true };
    const store = s3Store(at);
    for (const [key, body] of Object.entries(tinyObjects())) await store.put(key, body);
    const places = { store: at, state: { ...at, prefix: 'books', alone: !server.isReal } };
    await tieout('run --period 2026-10', { cwd: machine(places).folder });
    const { folder } = machine(places);
    const { effects } = testTerminal({ cwd: folder }).terminal;
    const state = await openState(openProject(join(folder, 'tieout.yaml')), effects);
    try {
        const app = served(folder, {}, {}, state);
        const session = await app.signIn();
        const { text } = await app.get('/periods/2026-10/breaks', { session });
        const [pick = ''] = picksIn(text);
        const path = `/periods/2026-10/breaks/${pick.split('.')[0]}`;
        expect(readable((await app.get(path)).text)).toContain('usage/dt=2026-10-02/0.ndjson :4');
        const form = { deed: 'comment', reason: 'seen from afar', run: fieldIn(text, 'run'), pick };
        expect((await app.post('/periods/2026-10/decide', form, { session })).status).toBe(303);
        expect(readable((await app.get(path)).text)).toContain('ada said seen from afar');
        const { decisions } = await readLog(state.store);
        expect(decisions).toMatchObject([{ kind: 'decide', act: 'comment', by: 'ada' }]);
    } finally {
        await state.close();
        await store.close();
        vi.unstubAllEnvs();
        await server.stop();
    }
});
