import { html } from 'htm/preact';
import type { ComponentChildren } from 'preact';
import type { Told } from './site.ts';

type Status = 400 | 403 | 404 | 409 | 413 | 500 | 503;

/** What a browser is told of a failure, beside the page. */
export function statusOf({ code, exit, why }: Told): Status {
    if (why === 'size') return 413;
    if (/_NOT_FOUND$/.test(code)) return 404;
    if (code === 'SERVE_REFUSED') return 403;
    if (code === 'STANDING_CHANGED' || code === 'RELEASE_REFUSED' || exit === 1) return 409;
    if (exit === 75) return 503;
    return exit === 70 ? 500 : 400;
}

const titles: Readonly<Record<Status, string>> = {
    400: 'This cannot be done',
    403: 'Refused',
    404: 'Not found',
    409: 'Not entered',
    413: 'Refused',
    500: 'A defect',
    503: 'Not now',
};

/** A failure as a page: what it is, and what to do about it. */
export function failurePage(told: Told, again: string | null): ComponentChildren {
    const { code, message, remedy } = told;
    const status = statusOf(told);
    // The rest is told to whoever runs the application.
    const [sentence = ''] = status === 500 ? message.split('\n') : [message];
    return [
        html`<h1>${titles[status]}</h1>`,
        html`<div class=${`message ${status === 503 || status === 404 ? 'warn' : 'bad'}`} role="alert">
            <p><code>${code}</code>: ${sentence}</p>
        </div>`,
        html`<p>${remedy}</p>`,
        html`<p>
            ${again !== null && html`<a href=${again}>Try again</a>${' · '}`}<a href="/">All periods</a>
        </p>`,
    ];
}
