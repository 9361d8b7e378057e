import { tmpdir } from 'node:os';
import { expect, test, vi } from 'vitest';
import { tieout } from '../support/terminal.ts';

/** As in a container that runs under a number of its own: the system has no name for it. */
vi.mock('node:os', async (original) => ({
    ...(await original<typeof import('node:os')>()),
    userInfo: () => {
        throw new Error('uv_os_get_passwd returned ENOENT');
    },
}));

test('a user without a name is a number, in the log and before', async () => {
    const { exit, out } = await tieout('close --help', { cwd: tmpdir() });
    expect(exit).toBe(0);
    expect(out).toContain(`(default: "uid ${process.getuid?.()}")`);
});
