import { type Command, Option } from 'commander';
import { targets } from '../deliver/targets.ts';
import { ageBuckets } from '../items/age.ts';
import type { Saying } from '../run/decide.ts';
import { askedStatuses, resolutions } from '../schema/item.ts';
import { type BreakListFlags, breakList, breakSay, breakShow, type SayingFlags } from './break.ts';
import { type CloseFlags, close, reopen } from './close.ts';
import type { Answer, CommandContext } from './command.ts';
import { type DeliverFlags, deliver } from './deliver.ts';
import { type ReleaseFlags, release } from './release.ts';

/** Options that several commands have. */
export interface SharedOptions {
    readonly period: Option;
    readonly by: Option;
}

/**
 * The commands by which a person decides: about breaks and held payers, about a month, and that its lines go
 * out.
 */
export function declareDecisions(
    cli: Command,
    { period, by }: SharedOptions,
    answer: (work: Promise<Answer>) => Promise<void>,
    context: () => CommandContext,
    chance: () => string,
): void {
    cli.command('close')
        .description('freeze a period by the digest of its run')
        .addOption(period)
        .addOption(by)
        .option('--reason <text>', 'why, for those who read the log')
        .option('--with-held', 'although lines of some payers are held', false)
        .action((flags: CloseFlags) => answer(close(flags, context())));
    cli.command('reopen')
        .description('let a run take the place of a closed one')
        .addOption(period)
        .addOption(by)
        .option('--reason <text>', 'why, for those who read the log')
        .action((flags: CloseFlags) => answer(reopen(flags, context())));
    const breaks = cli.command('break').description('work the queue of breaks');
    breaks
        .command('list')
        .description('breaks of a period and those carried into it')
        .addOption(period)
        .option('--status <status>', `${askedStatuses.join(', ')} (default: open)`)
        .option('--code <code>', 'only breaks of a code')
        .option('--payer <id>', 'only those of a payer')
        .option('--owner <name>', 'only those that somebody has')
        .option('--age <bucket>', `only those as old as ${ageBuckets.join(', ')} days`)
        .action((flags: BreakListFlags) => answer(breakList(flags, context())));
    breaks
        .command('show <id>')
        .description('a break, and all that was said of it')
        .addOption(period)
        .action((id: string, flags: { period: string }) =>
            answer(breakShow({ id, ...flags }, context())),
        );
    const say = (name: string, act: Saying['act'], description: string) =>
        breaks
            .command(`${name} <ids...>`)
            .description(description)
            .addOption(period)
            .addOption(by)
            .option('--reason <text>', 'why, for those who read the log')
            .option('--seen <amounts...>', 'what each came to when it was looked at, in order')
            .action((ids: string[], flags: SayingFlags) =>
                answer(breakSay(act, ids, flags, context())),
            );
    say('assign', 'assign', 'give breaks to somebody').option('--to <name>', 'to whom');
    say('comment', 'comment', 'say something of breaks');
    say('resolve', 'resolve', 'resolve breaks as they are now; no line changes').option(
        '--as <how>',
        resolutions.join(', '),
    );
    say('reopen', 'reopen', 'open resolved breaks again');
    say('approve', 'approve', 'let count what somebody else proposed');
    cli.command('release <payer>')
        .description('let the lines of a held payer go')
        .addOption(period)
        .addOption(by)
        .option('--reason <text>', 'why, for those who read the log')
        .option('--withdraw', 'hold them again', false)
        .option('--approve', 'let count what somebody else proposed', false)
        .option('--seen <amount>', 'what its open breaks were worth when they were looked at')
        .action((payer: string, flags: ReleaseFlags) => answer(release(payer, flags, context())));
    cli.command('deliver')
        .description('take the lines of a closed period to a target; a dry run without --send')
        .addOption(period)
        .addOption(
            new Option('--target <name>', Object.keys(targets).join(', ')).makeOptionMandatory(),
        )
        .addOption(by)
        .option('--send', 'send what is not there yet, and read it back', false)
        .option('--out <folder>', 'write what would be sent as files, into a new folder')
        .action((flags: DeliverFlags) => answer(deliver(flags, context(), chance())));
}
