import { createHash } from 'node:crypto';
import type { FileProblem } from '../errors/index.ts';
import { Problems } from './problems.ts';

/**
 * cards.lock: one line per published file, in the format of `sha256sum`, so that
 * `sha256sum --check cards.lock` proves the same without tieout.
 */
const lockLine = /^([0-9a-f]{64}) {2}(\S.*)$/;

/**
 * Checks that published files are what they were when they were published, and that every file
 * that should be locked is.
 * @param expected files that must be in the lock, relative to its folder.
 * @param readBytes gives a file relative to the folder of the lock; throws when there is none.
 */
export function checkLock(
    lock: { readonly file: string; readonly text: string },
    expected: readonly string[],
    readBytes: (path: string) => Uint8Array,
): readonly FileProblem[] {
    const problems = new Problems();
    const locked = new Set<string>();
    for (const [index, text] of lock.text.split('\n').entries()) {
        if (text.trim() === '' || text.startsWith('#')) continue;
        const at = { file: lock.file, line: index + 1 };
        const [, hash, path] = lockLine.exec(text) ?? [];
        if (hash === undefined || path === undefined) {
            problems.add(at, 'BAD_LOCK', 'this is not a line of sha256sum: hash, two spaces, file');
            continue;
        }
        locked.add(path);
        const actual = hashOf(path, readBytes);
        if (actual === hash) continue;
        const what = actual === null ? 'is gone' : 'is not what was published';
        problems.add(at, 'CARD_LOCKED', `${path} ${what}`, {
            remedy: 'Put it back. A change of price is a new row in a new version of the card.',
        });
    }
    for (const path of expected.filter((name) => !locked.has(name))) {
        problems.add({ file: lock.file, line: 1 }, 'CARD_NOT_LOCKED', `${path} is not locked`, {
            remedy: `Add the line that \`sha256sum ${path}\` prints.`,
        });
    }
    return problems.list;
}

function hashOf(path: string, readBytes: (path: string) => Uint8Array): string | null {
    try {
        return createHash('sha256').update(readBytes(path)).digest('hex');
    } catch {
        return null;
    }
}
