import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCard } from '../../../src/rules/load.ts';
import { checkLock } from '../../../src/rules/lock.ts';
import { printed } from './support.ts';

const folder = join(import.meta.dirname, '../../../rating-rules');
const read = (path: string) => readFileSync(join(folder, path));
const lock = { file: 'rating-rules/cards.lock', text: read('cards.lock').toString() };

/** Every card of the folder and every file it reads. */
function publishedFiles(): readonly string[] {
    const files = new Set<string>();
    const cards = readdirSync(folder).filter(
        (name) => name.endsWith('.yaml') && !name.endsWith('.specs.yaml'),
    );
    for (const card of cards) {
        loadCard(card, (path) => {
            files.add(path);
            return read(path).toString();
        });
    }
    return [...files].sort();
}

test('published cards are what they were, and all of them are locked', () => {
    expect(publishedFiles()).toEqual(['llm-list.csv', 'llm-list.yaml']);
    expect(printed(checkLock(lock, publishedFiles(), read))).toEqual([]);
});

test('an edit to a published file is refused, by one byte', () => {
    const edited = (path: string) =>
        path.endsWith('.csv')
            ? Buffer.from(read(path).toString().replace('4.40', '4.41'))
            : read(path);
    expect(printed(checkLock(lock, publishedFiles(), edited))).toEqual([
        'rating-rules/cards.lock:1: CARD_LOCKED llm-list.csv is not what was published\n    Put it back. A change of price is a new row in a new version of the card.',
    ]);
});

test('a file that is gone, one that is not locked, and a line that is none', () => {
    const text = `# published\n${'0'.repeat(64)}  gone.yaml\nllm-list.csv\n`;
    expect(printed(checkLock({ file: 'cards.lock', text }, ['new.yaml'], read))).toEqual([
        'cards.lock:2: CARD_LOCKED gone.yaml is gone\n    Put it back. A change of price is a new row in a new version of the card.',
        'cards.lock:3: BAD_LOCK this is not a line of sha256sum: hash, two spaces, file',
        'cards.lock:1: CARD_NOT_LOCKED new.yaml is not locked\n    Add the line that `sha256sum new.yaml` prints.',
    ]);
});
