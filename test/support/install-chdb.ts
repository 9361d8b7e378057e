import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chdbFolder } from './chdb.ts';

const version = '3.4.0';

/** Puts chdb into a folder of its own, once: it is no dependency of tieout. */
export default function install(): void {
    if (existsSync(join(chdbFolder, 'node_modules', 'chdb', 'package.json'))) return;
    mkdirSync(chdbFolder, { recursive: true });
    writeFileSync(join(chdbFolder, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--no-save', '--no-fund', '--no-audit', '--ignore-scripts'];
    execFileSync('npm', [...args, `chdb@${version}`], { cwd: chdbFolder, stdio: 'inherit' });
}
