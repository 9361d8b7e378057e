import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { tieout } from './support/cli.ts';
import { killedNight, wholeNight } from './support/kill.ts';

const USAGE = `npm run kills -- [--seeds N] [--from SEED] [--seed SEED]

Kills the night of a small project at random moments, lets it run to its end, and compares every byte
with a night that was left alone.
    --seeds N    so many seeds (200)
    --from SEED  the first of them (1)
    --seed SEED  only this one: what a failure printed
A seed that fails is one for test/fault/regressions.json.
`;

/** Exit 0 when every seed ends with the same bytes, 1 when one does not, 2 for bad usage. */
async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            seeds: { type: 'string', default: '200' },
            from: { type: 'string', default: '1' },
            seed: { type: 'string' },
            help: { type: 'boolean', default: false },
        },
    });
    const from = Number(values.seed ?? values.from);
    const count = values.seed === undefined ? Number(values.seeds) : 1;
    if (values.help || !Number.isInteger(from) || !Number.isInteger(count) || count < 1) {
        process.stderr.write(USAGE);
        return values.help ? 0 : 2;
    }
    process.stdout.write(`seeds ${from} to ${from + count - 1}\n`);
    const folder = resolve('.kills');
    rmSync(folder, { recursive: true, force: true });
    await tieout(['init', folder], { cwd: '.', quiet: true });
    const sound = await wholeNight(folder);
    process.stdout.write(`a night takes ${Math.round(sound.millis)} ms, digest ${sound.digest}\n`);
    const failed: number[] = [];
    for (let seed = from; seed < from + count; seed += 1) {
        const { at, wrong } = await killedNight(folder, seed, sound);
        const found = wrong.length ? `WRONG\n    ${wrong.join('\n    ')}` : 'the same';
        process.stdout.write(`seed ${seed}: killed at ${at.join(', ')} ms: ${found}\n`);
        if (wrong.length) failed.push(seed);
    }
    process.stdout.write(
        failed.length
            ? `${failed.length} of ${count} seeds are WRONG: ${failed.join(', ')}\n`
            : `All ${count} seeds end with the same bytes.\n`,
    );
    return failed.length ? 1 : 0;
}

process.exitCode = await main();
