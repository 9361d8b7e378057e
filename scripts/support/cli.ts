import { spawn } from 'node:child_process';
import { join } from 'node:path';

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');

export interface CliResult {
    readonly exit: number;
    readonly stdout: string;
}

/**
 * Runs the command line as its user would: a process of its own. Progress goes straight to the
 * terminal unless it is silenced.
 */
export function tieout(
    args: readonly string[],
    options: { readonly cwd: string; readonly quiet?: boolean },
): Promise<CliResult> {
    return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [cli, ...args], {
            cwd: options.cwd,
            stdio: ['ignore', 'pipe', options.quiet ? 'ignore' : 'inherit'],
        });
        const chunks: Buffer[] = [];
        child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
        child.on('error', reject);
        child.on('close', (code) =>
            resolve({ exit: code ?? 70, stdout: Buffer.concat(chunks).toString('utf8') }),
        );
    });
}
