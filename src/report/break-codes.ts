/**
 * What becomes of what a code is about. break: it is in the list until someone decides. counted: expected,
 * and only its number is said. accepted: within tolerance, and only its sum is said.
 */
export type CodeFate = 'break' | 'counted' | 'accepted';

/** What a code says to someone who was not there: what it is, why it happens, what to do. */
export interface BreakCode {
    readonly fate: CodeFate;
    readonly meaning: string;
    readonly cause: string;
    readonly action: string;
}

const define = (
    meaning: string,
    cause: string,
    action: string,
    fate: CodeFate = 'break',
): BreakCode => ({ fate, meaning, cause, action });

/** Every break code, in the order of debit-log.md section 4. */
export const breakCodes: Readonly<Record<string, BreakCode>> = {
    METERED_NOT_DEBITED: define(
        'Usage was rated, but the wallet was never debited for it.',
        'The event reached the meter only, no subscription in the wallet, or a wallet outage.',
        'Bill it, or debit the wallet now; then find the path that skips the wallet.',
    ),
    DEBITED_NOT_METERED: define(
        'The wallet was debited, but no usage event stands behind it.',
        'A lost or late event, or another event id on one of the two sides.',
        'Replay the event if it exists; otherwise refund the debit.',
    ),
    METERED_ON_DECLINED: define(
        'Usage exists although its authorization was declined.',
        'The product did the work without waiting for the answer.',
        'Have the gate enforced; decide with the product owner whether to bill.',
    ),
    METERED_ON_RELEASED: define(
        'Usage exists although its hold was released unspent.',
        'The work finished after the caller had given the hold back.',
        'Bill the usage, or credit it if the release was a promise to the customer.',
    ),
    METERED_ON_EXPIRED: define(
        'Usage exists although its hold ran out before it was captured.',
        'The work took longer than the life of the hold.',
        'Bill the usage; make holds outlive the longest job.',
    ),
    METERED_ON_REVERSED: define(
        'Usage exists although its debit was reversed or refunded.',
        'A refund was given in the wallet without a credit on the usage.',
        'Credit the usage if the refund stands; debit again if it does not.',
    ),
    OPEN_HOLD: define(
        'Money is on hold and was neither captured nor released in time.',
        'The caller crashed or forgot to finish the authorization.',
        'Release the hold, or capture it if the work was done.',
    ),
    OVER_CAPTURE: define(
        'More was captured than was authorized, beyond the rule.',
        'The estimate was too low for what the request then used.',
        'Check that the overrun was allowed; raise the estimate.',
    ),
    UNDER_CAPTURE: define(
        'Less was captured than was authorized, beyond the rule, and the rest was not freed.',
        'The estimate was too high, or only part of the work was captured.',
        'Release the rest; check that no capture is missing.',
    ),
    AMOUNT_PRICE: define(
        'Both sides saw the same quantity and priced it differently.',
        'Another price version, a volume tier the wallet can not know, or a later discount.',
        'Explain it by the difference of the two rates; align the price versions.',
    ),
    AMOUNT_QUANTITY: define(
        'The two sides counted different quantities.',
        'A cut-short count, or cached tokens counted on one side only.',
        'Find which count is right; correct the meter or the wallet.',
    ),
    AMOUNT_ROUNDING: define(
        'The difference is no more than rounding can make.',
        'The wallet rounds each event, the invoice once per line.',
        'None: accepted within tolerance. Post the sum to the rounding account.',
        'accepted',
    ),
    DUP_DEBIT_SAME: define(
        'The same debit was booked twice with the same content.',
        'A retry without an idempotency key.',
        'Refund the second debit.',
    ),
    DUP_DEBIT_CONFLICT: define(
        'The same debit key came twice with different content.',
        'A key was used again for another debit.',
        'Find out which is true; nothing was chosen for you.',
    ),
    DUP_METER_SAME: define(
        'The same usage event came twice with the same content.',
        'At-least-once delivery, as expected.',
        'None: counted once; repeats.csv has the copies.',
        'counted',
    ),
    DUP_METER_CONFLICT: define(
        'The same event id came twice with different content.',
        'The producer changed or reused an event after sending it.',
        'Compare the copies in repeats.csv and ask the producer which is true: the first one counts.',
    ),
    TIMING_CUTOFF: define(
        'Both sides exist, on different sides of the end of the period.',
        'Clocks differ, or the debit was booked after midnight in the payer’s zone.',
        'Roll it forward: it clears itself in the next period.',
    ),
    TIMING_LATE: define(
        'One side arrived after the period was closed; a backfill of the period finds it.',
        'A late event or a late log.',
        'Apply the backfill: it becomes an adjustment in the open period.',
    ),
    ASSET_MISMATCH: define(
        'Usage and debit are in different assets.',
        'A product was moved to another asset on one side only.',
        'Map the product to one asset on both sides.',
    ),
    CONVERSION_MISSING: define(
        'No currency rate converts the price of usage for its payer, or we have none that a debit was converted at.',
        'The rate table ends too early or lacks the pair.',
        'Add the rate and run again; nothing was priced at zero.',
    ),
    CONVERSION_RATE: define(
        'The wallet converted units to money at another rate than ours.',
        'One of them used an old rate table.',
        'Decide which rate holds for that date and correct the other side.',
    ),
    UNIT_MISMATCH: define(
        'The quantities differ by a plain unit factor (a power of ten, 60 or 3600).',
        'One side counts in units and the other in thousands, or seconds against hours.',
        'Correct the unit mapping of the meter or of the wallet.',
    ),
    ACCOUNT_MISMATCH: define(
        'The same event was booked to different accounts.',
        'An alias is unknown to one side.',
        'Reassign it; add the alias to the accounts file.',
    ),
    HIERARCHY_MISMATCH: define(
        'The debit and the bill went to different levels of the same account tree.',
        'A child was debited while its parent is billed, or the tree changed in mid-period.',
        'Reassign the debit; check the dates of the account’s parent.',
    ),
    SPLIT_INCOMPLETE: define(
        'A debit was split over several grants and the parts do not make the whole.',
        'The wallet failed between two parts.',
        'Book the missing part.',
    ),
    ORPHAN_REVERSAL: define(
        'A reversal or refund names a debit that is not in the log.',
        'A log file is missing, or the reference is wrong.',
        'Fetch the missing file; otherwise ask for the original entry.',
    ),
    LIFECYCLE_INVALID: define(
        'An authorization went through steps that can not follow each other: a capture without its hold, more given back than there was.',
        'Entries out of order, a forced capture, or a fault in the wallet.',
        'Investigate this authorization by hand.',
    ),
    OVERDRAFT: define(
        'A debit took the wallet below zero.',
        'The wallet allows an overdraft, or two debits raced each other.',
        'Collect the balance; decide whether overdrafts are wanted.',
    ),
    SEQUENCE_GAP: define(
        'Numbers are missing in the ledger’s own sequence.',
        'Entries were lost on the way here.',
        'Stop: the log is incomplete. Get the missing entries first.',
    ),
    BALANCE_DISCONTINUITY: define(
        'The balances that the log states do not follow from each other, or not from its entries.',
        'Entries were lost, changed or reordered.',
        'Stop: the log is incomplete. Get the missing entries first.',
    ),
    UNRATED: define(
        'Usage has no price: no rate matches its attributes, or none in the currency of its payer.',
        'A new model or attribute value is not in the rate card yet, or a card is in another currency.',
        'Add the rate and run again; nothing was priced at zero.',
    ),
    NON_USAGE: define(
        'A wallet movement that is not usage: top-up, grant, expiry or manual adjustment.',
        'Expected.',
        'None: left out of matching, kept in the roll-forward (wallet_movements.csv).',
        'counted',
    ),
};

/** The code of differences that were accepted within tolerance: totals have it, the list has not. */
export const ACCEPTED_CODE = 'AMOUNT_ROUNDING';

/** The entry of a code; one that is not listed says so instead of failing the report. */
export function breakCode(code: string): BreakCode {
    return Object.hasOwn(breakCodes, code)
        ? breakCodes[code]!
        : define('This code has no description yet.', 'Unknown.', 'Investigate by hand.');
}
