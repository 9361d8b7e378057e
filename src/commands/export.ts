import type { Command, Option } from 'commander';
import type { Answer, CommandContext } from './command.ts';
import { type ArrowFlags, exportArrow } from './export-arrow.ts';
import { exportFocus, type FocusFlags } from './export-focus.ts';

/** `tieout export`: what a period bills, in the form of others. */
export function addExports(
    cli: Command,
    period: Option,
    context: () => CommandContext,
    answer: (work: Promise<Answer>) => Promise<void>,
): void {
    const exports = cli.command('export').description('what a period bills, in the form of others');
    exports
        .command('focus')
        .description('files of the FinOps Open Cost and Usage Specification')
        .addOption(period)
        .option('--version <version>', '1.4, or 1.2 for CostAndUsage alone', '1.4')
        .option('--out <dir>', 'folder for the files (default: focus-VERSION/PERIOD)')
        .option('--format <format>', 'csv or parquet', 'csv')
        .action((flags: FocusFlags) => answer(exportFocus(flags, context())));
    exports
        .command('arrow')
        .description('the lines as an Arrow IPC file')
        .addOption(period)
        .option('--out <file>', 'the file (default: line_items-PERIOD.arrow)')
        .action((flags: ArrowFlags) => answer(exportArrow(flags, context())));
}
