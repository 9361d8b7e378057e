import { parseArgs } from 'node:util';
import { DEMO } from '../fixtures/demo.ts';
import { type BucketOptions, writeBucket } from '../fixtures/generator/index.ts';

const USAGE = `node scripts/generate.ts --out DIR [--seed 7] [--events 50000] [--period 2026-10]
    [--breaks none|all] [--faults none|all] | --out DIR --demo

Writes a bucket of invented usage and debits with a truth.json. Same options, same bytes.
    --breaks  planted differences between debits and usage (default all)
    --faults  planted retries, late and unusable lines, unpriced models (default all)
    --demo    the bucket of the demo; no other option counts
`;

/** Writes the folder that the arguments ask for. */
async function main(args: readonly string[]): Promise<number> {
    const { values } = parseArgs({
        args: [...args],
        options: {
            out: { type: 'string' },
            seed: { type: 'string', default: '7' },
            events: { type: 'string', default: '50000' },
            period: { type: 'string', default: '2026-10' },
            breaks: { type: 'string', default: 'all' },
            faults: { type: 'string', default: 'all' },
            demo: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    if (values.help || !values.out) {
        process.stdout.write(USAGE);
        return values.help ? 0 : 2;
    }
    const options: BucketOptions = values.demo
        ? DEMO
        : {
              seed: Number(values.seed),
              period: values.period,
              events: Number(values.events),
              breaks: noneOrAll('breaks', values.breaks),
              faults: noneOrAll('faults', values.faults),
          };
    const truth = await writeBucket(options, values.out);
    process.stdout.write(
        `${values.out}: ${truth.usage_lines} usage lines, ${truth.debit_lines} debit lines, ` +
            `${truth.rated_amount_exact} USD rated\n`,
    );
    return 0;
}

function noneOrAll(name: string, text: string): 'none' | 'all' {
    if (text === 'none' || text === 'all') return text;
    throw new RangeError(`--${name} is none or all, not ${text}`);
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
});
