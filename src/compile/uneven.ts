import type { FileProblem } from '../errors/index.ts';
import { formatInstant } from '../time/instant.ts';
import { isMonthStart, monthOf, monthStart } from '../time/period.ts';
import type { Payer } from './commitments.ts';
import type { Contract } from './contracts.ts';
import { isEnded } from './windows.ts';

/**
 * What is left of a balance is known when a period is over, and goes on with the next one: where it
 * ends has to be where a period of its payer does.
 */
export function unevenRests(
    file: string,
    contract: Contract,
    { payer_id, time_zone }: Payer,
): readonly FileProblem[] {
    const ends = [
        // Windows end with months, but for the last one, which the contract may cut.
        ...contract.commitments.map((of) => ({ of, name: of.commitment, to: contract.to })),
        ...contract.grants
            .filter(({ months }) => months === null)
            .map((of) => ({
                ...{ of, name: of.grant },
                to: of.every === 'once' ? of.to : contract.to,
            })),
    ];
    return ends
        .filter(({ of, to }) => of.rollover !== null && isEnded({ from: 0n, to }))
        .filter(({ to }) => !isMonthStart(to, time_zone))
        .map(({ of, name, to }) => ({
            code: 'ROLLOVER_END',
            file,
            line: of.line,
            message: `${name} of contract ${contract.contract} ends at ${formatInstant(to)} and rolls over, and no month of its payer ${payer_id} (${time_zone}) begins then`,
            remedy: 'Let it end where a month begins in that zone, or take its rollover out.',
        }));
}

/**
 * A contract written in UTC whose payer lives west of it would have windows that begin a month before
 * the one that was meant, and a last one that lacks a day.
 */
export function strayEnds(
    file: string,
    { contract, from, to, commitments, grants, line }: Contract,
    { payer_id, time_zone }: Payer,
): readonly FileProblem[] {
    const isWindowed = [...commitments, ...grants].some(
        ({ every }) => every !== 'term' && every !== 'once',
    );
    if (!isWindowed) return [];
    return [
        ...[{ end: 'from', at: from }],
        ...(isEnded({ from, to }) ? [{ end: 'to', at: to }] : []),
    ]
        .filter(({ at }) => isMonthStart(at, 'UTC') && monthOf(at, time_zone) < monthOf(at, 'UTC'))
        .map(({ end, at }) => ({
            code: 'WINDOW_ZONE',
            file,
            line,
            message: `contract ${contract} has windows of months and is ${end} ${formatInstant(at)}, which is in ${monthOf(at, time_zone)} for its payer ${payer_id} (${time_zone})`,
            remedy: `Write ${formatInstant(monthStart(monthOf(at, 'UTC'), time_zone))}, where the month begins in that zone.`,
        }));
}
