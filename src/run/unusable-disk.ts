import { RunError } from '../errors/index.ts';

/**
 * Whoever met the full disk (a file of ours, the engine, its spilling), a person hears the same. A
 * folder that can't be written is a matter of the config, not a defect.
 */
export function unusableDisk(error: unknown, folder: string): RunError | null {
    const { message: detail = String(error), code = '' } = error as NodeJS.ErrnoException;
    if (/ENOSPC|EDQUOT|no space left|could not write file/i.test(detail)) {
        return new RunError(
            'DISK_FULL',
            { folder, detail: engineSentence(error) ?? detail },
            error,
        );
    }
    const isRefused = /^(EACCES|EPERM|EROFS|ENOTDIR|EEXIST)$/.test(code) || isNoFolder(error);
    return isRefused ? new RunError('STATE_UNUSABLE', { folder, detail }, error) : null;
}

/** Below /proc a folder can't be made: it is said not to exist. */
const isNoFolder = (error: unknown) =>
    (error as NodeJS.ErrnoException).code === 'ENOENT' &&
    (error as NodeJS.ErrnoException).syscall === 'mkdir';

/** What the engine said itself, without the statement that met it. */
function engineSentence(error: unknown): string | null {
    if (!(error instanceof RunError) || error.code !== 'ENGINE_FAILED') return null;
    return (error as RunError<'ENGINE_FAILED'>).params.detail.split('\n')[0] ?? null;
}
