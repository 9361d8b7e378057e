import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/errors/index.ts';

const read = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFileSync(join(folder, name), 'utf8'))
        .join('\n');

describe('the catalogue of errors', () => {
    const codes = Object.keys(catalogue);
    const tests = read(import.meta.dirname);
    const sources = read(join(import.meta.dirname, '../../src'));

    test.each(codes)('%s is provoked in this folder', (code) => {
        expect(tests).toMatch(new RegExp(`(fails|raises)\\(\\s*'${code}'`));
    });

    test.each(codes)('%s is raised somewhere', (code) => {
        expect(sources).toMatch(new RegExp(`RunError\\(\\s*'${code}'`));
    });
});
