import { syncBuiltinESMExports } from 'node:module';
import os, { tmpdir } from 'node:os';
import { afterEach, expect, test, vi } from 'vitest';
import { tieout } from '../support/terminal.ts';

afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
});

/** As in a container that runs under a number of its own: the system has no name for it. */
test('a user without a name is a number, in the log and before', async () => {
    vi.spyOn(os, 'userInfo').mockImplementation(() => {
        throw new Error('uv_os_get_passwd returned ENOENT');
    });
    syncBuiltinESMExports();
    const { exit, out } = await tieout('close --help', { cwd: tmpdir() });
    expect(exit).toBe(0);
    expect(out).toContain(`(default: "uid ${process.getuid?.()}")`);
});
