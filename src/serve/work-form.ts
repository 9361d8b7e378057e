import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { nothing } from '../report/html-parts.ts';
import { proposalText } from '../report/item-status.ts';
import type { PayerStanding, Standing } from '../schema/item.ts';
import type { Visitor } from './guard.ts';
import { choice } from './layout.ts';

/** What a person may do with breaks, and how a form says so. */
export const deeds = [
    ['assign', 'Assign to'],
    ['comment', 'Comment'],
    ['resolve-explained', 'Resolve: explained, the lines are right'],
    ['resolve-accepted', 'Resolve: accepted, the difference may stay'],
    ['resolve-written_off', 'Resolve: written off, it is given up'],
    ['reopen', 'Open again'],
    ['approve', 'Approve what somebody else proposed'],
] as const;
export type Deed = (typeof deeds)[number][0];

/** Longest reason and owner that a form takes. */
export const TEXT_LIMIT = 2_000;
export const OWNER_LIMIT = 100;

/** Why a visitor has no form to work with; null for one that may work. */
export function whyNoWork({ session, by }: Visitor): VNode | null {
    if (session === null) {
        return nothing('Reading only: open the link with the token to decide anything.');
    }
    return by === null ? nothing('Say your name at the top to decide anything.') : null;
}

/** Fields that every form has. */
export function hidden({ form_key }: Visitor, fields: Readonly<Record<string, string>>): VNode[] {
    return Object.entries({ form_key, ...fields }).map(
        ([field, value]) => html`<input type="hidden" name=${field} value=${value} />`,
    );
}

/** What is to be done with the selected breaks, to whom they go, and why. */
export function deedFields(owner: string, owners: readonly string[]): VNode {
    return html`<div class="fields">
        ${choice('What', 'deed', 'assign', deeds)}
        <label>
            To whom (assign)
            <input name="owner" maxlength=${OWNER_LIMIT} value=${owner} list="owners" size="16" />
            <datalist id="owners">${owners.map((of) => html`<option value=${of}></option>`)}</datalist>
        </label>
        <label class="wide">
            Why (everything else)
            <input name="reason" maxlength=${TEXT_LIMIT} />
        </label>
        <button class="main">Enter it into the log</button>
    </div>`;
}

const lettings = {
    release: {
        explained:
            'Its lines go out as they are. It is for what holds them now: with anything more they are held again.',
        label: 'Release the lines',
    },
    approve: {
        explained: 'Its lines go out as they are, if you are not who proposed it.',
        label: 'Approve the release',
    },
    withdraw: { explained: 'Its lines are held again.', label: 'Withdraw the release' },
} as const;

/** The form that lets the lines of a payer go, or holds them again; null where neither can be. */
export function letForm(
    { period, run_id }: Standing,
    payer: PayerStanding,
    key: string,
    visitor: Visitor,
): VNode | null {
    const { standing, open_sha256, proposed } = payer;
    if (standing !== 'held' && standing !== 'released') return null;
    const why = whyNoWork(visitor);
    if (why) return why;
    const isApproval = proposed !== null && proposed.changed === null;
    const kind = standing === 'released' ? 'withdraw' : isApproval ? 'approve' : 'release';
    const { explained, label } = lettings[kind];
    return html`<form class="work" method="post" action=${`/periods/${period}/payers/${key}`}>
        ${hidden(visitor, {
            kind,
            seen: open_sha256,
            run: run_id,
        })}
        <p>${explained} ${isApproval && proposalText(proposed)}</p>
        <div class="fields">
            <label class="wide">
                Why
                <input name="reason" required=${kind !== 'approve'} maxlength=${TEXT_LIMIT} />
            </label>
            <button class="main">${label}</button>
        </div>
    </form>`;
}
