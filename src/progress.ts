import cliProgress from 'cli-progress';
import type { Progress } from './effects.ts';
import type { Logger } from './log.ts';

const megabyte = 1_000_000;

/** Bars on a terminal: one line a part of the work, on stderr. */
export function barProgress(): Progress {
    let bar: cliProgress.SingleBar | null = null;
    let name = '';
    let done = 0;
    return {
        begin(of, total) {
            name = of;
            done = 0;
            bar = new cliProgress.SingleBar(
                {
                    format: total
                        ? '{name} {bar} {percentage}% {detail}'
                        : '{name} {duration_formatted} {detail}',
                    stream: process.stderr,
                    clearOnComplete: true,
                    hideCursor: true,
                },
                cliProgress.Presets.shades_classic,
            );
            bar.start(total ?? 1, 0, { name: name.padEnd(16), detail: '' });
        },
        advance(amount, detail) {
            done += amount;
            bar?.update(done, { detail: (detail ?? '').slice(-50) });
        },
        end(detail) {
            bar?.stop();
            bar = null;
            process.stderr.write(`${name.padEnd(16)} done${detail ? `: ${detail}` : ''}\n`);
        },
    };
}

/** Log records for a scheduler: one when a part begins, one when it ends, few in between. */
export function logProgress(log: Logger): Progress {
    let name = '';
    let done = 0;
    let reported = 0;
    return {
        begin(of, total) {
            name = of;
            done = 0;
            reported = 0;
            log.info({ part: name, ...(total ? { total } : {}) }, 'begin');
        },
        advance(amount, detail) {
            done += amount;
            log.debug({ part: name, detail }, 'advance');
            if (done - reported < 256 * megabyte) return;
            reported = done;
            log.info({ part: name, done }, 'advance');
        },
        end(detail) {
            log.info({ part: name, ...(detail ? { detail } : {}) }, 'end');
        },
    };
}
