import { defineError } from './define.ts';

/** Why the web application answers nothing, and what to do about it. */
const refusals = {
    host: [
        'it was asked for under a name that is not its own',
        'Open the address that `tieout serve` printed. Behind a reverse proxy start it with --origin.',
    ],
    token: [
        'without its token nothing can be entered, and away from this machine nothing be seen',
        'Open the link with the token that `tieout serve` printed, or ask who set TIEOUT_SERVE_TOKEN.',
    ],
    origin: [
        'another site sent this form',
        'Nothing was entered. Work in the pages of this application alone.',
    ],
    form: [
        'this form is of another session, or not whole',
        'Nothing was entered. Go back, load the page anew and send the form again.',
    ],
    size: ['what was sent is too large', 'Nothing was entered. Select fewer breaks at a time.'],
    name: ['who decides is not known', 'Nothing was entered. Say your name first, at the top.'],
    method: ['pages can be read, and forms sent; nothing else', 'Use a browser.'],
} as const;
export type Refusal = keyof typeof refusals;

/** Errors of `tieout serve`: of what is asked of it, and of where it listens. */
export const serveErrors = {
    SERVE_REFUSED: defineError<{ why: Refusal }>(
        2,
        (p) => `the application refused: ${refusals[p.why][0]}`,
        (p) => refusals[p.why][1],
    ),
    PAGE_NOT_FOUND: defineError<{ path: string }>(
        2,
        (p) => `there is no page ${p.path}`,
        () => 'Begin at the list of periods.',
    ),
    STANDING_CHANGED: defineError<{ period: string; detail: string }>(
        75,
        (p) => `${p.period} is no longer as it was looked at: ${p.detail}`,
        () => 'Nothing was entered. Look at it again, then decide.',
    ),
    ADDRESS_UNUSABLE: defineError<{ host: string; port: number; detail: string }>(
        2,
        (p) => `cannot listen on ${p.host} port ${p.port}: ${p.detail}`,
        () => 'End what listens there, or choose another --port; 0 takes any that is free.',
    ),
};
